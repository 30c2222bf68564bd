"""A NiceGUI page: most of its talk is over one socket."""

import os

from nicegui import ui


@ui.page("/")
def home() -> None:
    ui.label("Greenhouse")
    ui.button("Water", on_click=lambda: ui.notify("Watered"))
    ui.slider(min=0, max=40, value=20)
    ui.input("Note")
    ui.upload(on_upload=lambda event: ui.notify("Stored"))
    ui.table(rows=[{"bed": number, "plant": "basil"} for number in range(8)])
    ui.link("Sensors", "/sensors")
    ui.image("/_nicegui/static/none.png")


@ui.page("/sensors")
def sensors() -> None:
    ui.echart({"xAxis": {"type": "category"}, "yAxis": {}, "series": [{"type": "line", "data": [1, 3, 2, 4]}]})
    ui.button("Download", on_click=lambda: ui.download(b"bed,plant\n", "beds.csv"))
    ui.link("Home", "/")


ui.run(port=int(os.environ["PORT"]), host="127.0.0.1", reload=False, show=False)
