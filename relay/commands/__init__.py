"""The words of the command line: one file per command or noun, each shaping what people read and doing one thing."""
