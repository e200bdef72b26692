"""What people read. Pure: values in, texts out."""
