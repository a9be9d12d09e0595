"""Reads models.yaml as far as it is needed: the layout's number and the names."""

KNOWN = ("1", "2")


def read_models(path):
    """The models' names. A layout that this release does not know is an error: guessing would pick wrong models."""
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    layout = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("layout:")), None)
    if layout not in KNOWN:
        raise ValueError(f"layout {layout!r} is not one of {', '.join(KNOWN)}")
    return [line.split(":", 1)[1].strip() for line in lines if line.startswith("- name:")]
