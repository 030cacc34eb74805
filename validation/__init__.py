"""Validation: the pipeline, its verdicts, the report and the command line."""
