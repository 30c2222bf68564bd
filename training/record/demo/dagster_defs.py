"""Two Dagster assets and a job."""

import dagster


@dagster.asset
def ships() -> list[int]:
    return [1, 2, 3]


@dagster.asset
def harbours(ships: list[int]) -> int:
    return len(ships)


defs = dagster.Definitions(assets=[ships, harbours], jobs=[dagster.define_asset_job("nightly")])
