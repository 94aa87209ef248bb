"""The pure core of two-way merging: which records are one, and which side's value stays.

Four small steps, each a module that can be read by itself: `record` the neutral shape · `match` which of
ours is theirs · `decide` which value stays · `plan` do the numbers make sense. `names` compares names.
Standard library only; no clock, no input or output.
"""
