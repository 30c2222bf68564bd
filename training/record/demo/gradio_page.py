"""A Gradio page with a function, a chat and a file."""

import os
import time

import gradio as gr


def greet(name: str, times: float) -> str:
    return "Hello " + name * int(times)


def chat(message: str, history: list) -> str:  # type: ignore[type-arg]
    time.sleep(0.2)
    return message[::-1]


with gr.Blocks(title="Workbench", analytics_enabled=False) as page:
    with gr.Tab("Greet"):
        gr.Interface(
            greet,
            [gr.Textbox(label="Name"), gr.Slider(1, 5, step=1, label="Times")],
            gr.Textbox(label="Answer"),
            examples=[["north", 2], ["alpha", 3]],
        )
    with gr.Tab("Chat"):
        gr.ChatInterface(chat)
    with gr.Tab("Upload"):
        gr.Interface(lambda file: os.path.basename(file or ""), gr.File(), "text")
    with gr.Tab("Live"):
        box, shown = gr.Textbox(label="Search"), gr.JSON()
        box.change(lambda text: {"length": len(text)}, box, shown)

page.queue().launch(server_name="127.0.0.1", server_port=int(os.environ["PORT"]), root_path="/ai/workbench")
