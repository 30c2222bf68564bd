"""A Panel (Bokeh server) page."""

import panel as pn

pn.extension()
slider = pn.widgets.IntSlider(name="Days", end=30, value=5)
text = pn.widgets.TextInput(name="Search")
button = pn.widgets.Button(name="Reload")
pn.Column(
    slider,
    text,
    button,
    pn.bind(lambda days: f"## {days} days", slider),
    pn.bind(lambda word: word.upper(), text),
    pn.Tabs(("One", "1"), ("Two", "2")),
).servable()
