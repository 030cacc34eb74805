"""The report: one page from verdicts and tables on disk alone."""
