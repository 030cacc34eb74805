"""Questions that were answered once with this suite, each in a folder with its script, README and figures."""
