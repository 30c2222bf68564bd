"""A Celery worker's tasks, for Flower to show."""

import random
import time

from celery import Celery

app = Celery("celery_tasks", broker="redis://127.0.0.1:7390/0", backend="redis://127.0.0.1:7390/1")


@app.task
def resize(picture: int) -> int:
    time.sleep(random.random())
    if picture % 5 == 0:
        raise ValueError("too large")
    return picture


if __name__ == "__main__":
    for number in range(60):
        resize.delay(number)
