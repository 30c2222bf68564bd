"""Run a small Prefect flow against the server, and keep serving it as a deployment."""

from prefect import flow, task


@task
def load(number: int) -> int:
    return number * 2


@flow(log_prints=True)
def nightly(count: int = 3) -> None:
    print(sum(load(number) for number in range(count)))


if __name__ == "__main__":
    for _ in range(3):
        nightly()
    nightly.serve(name="every-night", cron="0 3 * * *")
