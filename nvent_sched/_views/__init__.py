"""What the values of `_model` look like to people: words, and HTML. Pure.

`words` writes lengths of time, moments and outcomes; every face uses it. `objects` draws
jobs and runs for a notebook. All take values and give text; nothing here asks a store, a
clock or a screen.
"""
