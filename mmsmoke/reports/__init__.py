"""Make tables, charts, sheets and pages of results."""
