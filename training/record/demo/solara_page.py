"""A Solara page."""

import solara

days = solara.reactive(7)


@solara.component
def Page():
    solara.SliderInt("Days", value=days, min=1, max=30)
    solara.InputText("Search")
    solara.Button("Reload", on_click=lambda: days.set(3))
    solara.Markdown(f"**{days.value}** days")
