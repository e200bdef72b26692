"""The page about a campaign, made from its results and nothing else."""


def page(found):
    return ""
