"""A back-test for people: sentences, tables, figures and a page, all made of the dictionary of docs/backtest.md."""
