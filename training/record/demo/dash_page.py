"""A Dash page with callbacks and a table that the server filters."""

import os
import random

import pandas as pd
from dash import Dash, Input, Output, dash_table, dcc, html

frame = pd.DataFrame({"day": range(100), "ships": [random.randrange(90) for _ in range(100)], "place": ["Kiel", "Turku"] * 50})
app = Dash(__name__, url_base_pathname=os.environ.get("PREFIX", "/"), title="Ships")
app.layout = html.Div([
    html.H1("Ships"), dcc.Dropdown(["Kiel", "Turku"], "Kiel", id="place"), dcc.Slider(5, 100, 5, value=50, id="days"), dcc.Graph(id="graph"),
    dcc.Tabs(id="tabs", value="a", children=[dcc.Tab(label="Table", value="a"), dcc.Tab(label="Sum", value="b")]), html.Div(id="shown"),
    dcc.Input(id="text", placeholder="Search", type="text"), html.Div(id="echo"), html.Button("Reload", id="reload"), dcc.Interval(id="tick", interval=4000),
    html.Div(id="clock"), dash_table.DataTable(frame.to_dict("records"), id="table", page_size=10, page_action="custom", page_current=0, sort_action="custom"),
])  # fmt: skip


@app.callback(Output("graph", "figure"), Input("place", "value"), Input("days", "value"), Input("reload", "n_clicks"))
def draw(place, days, clicks):
    part = frame[(frame.place == place) & (frame.day < days)]
    return {"data": [{"x": list(part.day), "y": list(part.ships), "type": "bar"}]}


@app.callback(Output("shown", "children"), Input("tabs", "value"))
def show(tab):
    return f"{tab}: {frame.ships.sum()}"


@app.callback(Output("echo", "children"), Input("text", "value"))
def echo(text):
    return f"{len(frame[frame.place.str.contains(text or '')])} rows"


@app.callback(Output("clock", "children"), Input("tick", "n_intervals"))
def clock(count):
    return str(count)


@app.callback(Output("table", "data"), Input("table", "page_current"), Input("table", "page_size"))
def turn(page, size):
    return frame.iloc[page * size : (page + 1) * size].to_dict("records")


app.run(port=int(os.environ["PORT"]))
