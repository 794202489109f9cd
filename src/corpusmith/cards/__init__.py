"""Community character cards: V1, V2 and V3, as JSON and inside a PNG, and our own simple JSON.

`read.read_card` and `write.write_card` are the whole of it. `{{char}}` and `{{user}}` are filled
by `corpusmith.placeholders`, which recipes use too.
"""
