"""A Locust file whose users ask this very server for its front page."""

from locust import HttpUser, constant, task


class Visitor(HttpUser):
    host = "http://127.0.0.1:7350"
    wait_time = constant(1)

    @task
    def front(self) -> None:
        self.client.get("/", name="front page")
