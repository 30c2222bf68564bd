"""The REST application: which resource is served where, its health, metrics and own documentation."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

import hauberk
from hauberk.api import (
    account,
    alerts,
    authority,
    client_certificates,
    configuration,
    discovery,
    discovery_review,
    discovery_runs,
    endpoint_changes,
    endpoint_schemas,
    endpoints,
    envelope,
    events,
    exported_schemas,
    expressions,
    fallthrough,
    gateways,
    hostname_associations,
    issued_certificates,
    learned_differences,
    learned_schemas,
    learning,
    mtls_certificates,
    mutual_tls,
    operation_metrics,
    operations,
    relaxed_rules,
    request_counts,
    rulesets,
    schema_preview,
    schema_trials,
    schema_uploads,
    schema_validation,
    security_events,
    settings,
    template_rules,
    tokens,
    traffic_imports,
    user_schemas,
    users,
    zone_standing,
    zones,
)
from hauberk.api.auth import Authentication
from hauberk.api.learning_metrics import LearningMetrics
from hauberk.api.limits import BodyLimit
from hauberk.api.metrics import RequestMetrics
from hauberk.errors import Unavailable
from hauberk.pipeline import ControlPlane
from hauberk.storage.models import Installation

COMPATIBLE = "/client/v4"
OWN = "/hauberk/v1"

DESCRIPTION = f"""
Two roots over one store, one envelope and one way to authenticate: `{COMPATIBLE}` answers what the official `cloudflare` SDKs send
(`base_url="http://…{COMPATIBLE}"`), `{OWN}` is what only hauberk has. Send `Authorization: Bearer <token>`, or `X-Auth-Email` and
`X-Auth-Key`; the first token is in the file `admin-token` of the state folder.
"""


def create_app(plane: ControlPlane) -> FastAPI:
    """Make the application over an open control plane; the caller closes the plane."""
    app = FastAPI(
        title="hauberk",
        version=hauberk.__version__,
        description=DESCRIPTION,
        separate_input_output_schemas=False,
        docs_url=None,  # FastAPI's pages load scripts from other hosts; the dashboard has one of its own
        redoc_url=None,
        redirect_slashes=False,  # to whatever host the request names
    )
    app.state.plane = plane
    envelope.install(app)

    zone = APIRouter(prefix="/zones/{zone_id}")
    for resource in (
        client_certificates.zone,
        hostname_associations.zone,
        operations.zone,
        learned_schemas.zone,
        exported_schemas.zone,
        discovery.zone,
        configuration.zone,
        schema_validation.zone,
        user_schemas.zone,
        rulesets.zone,
        security_events.zone,
    ):
        zone.include_router(resource)
    for router in (zones.compatible, zone, mtls_certificates.account):
        app.include_router(router, prefix=COMPATIBLE)
    for router in (
        zones.own,
        tokens.own,
        users.own,
        account.own,
        settings.own,
        gateways.own,
        authority.own,
        issued_certificates.own,
        mutual_tls.own,
        fallthrough.own,
        expressions.own,
        discovery_runs.own,
        discovery_review.own,
        template_rules.own,
        traffic_imports.own,
        configuration.own,
        operation_metrics.own,
        request_counts.own,
        events.own,
        endpoints.own,
        endpoint_changes.own,
        endpoint_schemas.own,
        zone_standing.own,
        schema_preview.own,
        schema_uploads.own,
        schema_trials.own,
        relaxed_rules.own,
        alerts.own,
        learning.own,
        learned_schemas.own,
        learned_differences.own,
    ):
        app.include_router(router, prefix=OWN)
    app.include_router(authority.public)
    app.include_router(_health(plane))

    registry = CollectorRegistry()
    registry.register(LearningMetrics(plane.database))
    app.include_router(_metrics(registry, plane.metrics))
    app.add_middleware(
        BodyLimit, max_bytes=plane.settings.control_plane.max_upload_bytes, max_import_bytes=plane.settings.traffic.max_import_bytes
    )
    app.add_middleware(Authentication, database=plane.database, prefixes=(COMPATIBLE, OWN))
    app.add_middleware(RequestMetrics, registry=registry)
    return app


def _health(plane: ControlPlane) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    def healthz() -> JSONResponse:
        """Answer 200 while the process runs."""
        return JSONResponse({"status": "ok"})

    @router.get("/readyz")
    def readyz() -> JSONResponse:
        """Answer 200 while the database answers, else 503."""
        try:
            with plane.database.read() as session:
                version = session.scalars(select(Installation.revision)).one()
        except (Unavailable, SQLAlchemyError):
            return JSONResponse({"status": "the database does not answer"}, 503)
        return JSONResponse({"status": "ok", "version": version})

    return router


def _metrics(*registries: CollectorRegistry) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:
        """Give the control plane's metrics in Prometheus' text format."""
        return PlainTextResponse(b"".join(map(generate_latest, registries)), media_type=CONTENT_TYPE_LATEST)

    return router
