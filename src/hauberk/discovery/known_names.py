"""What the name of a header, cookie or claim says by itself: known identities, trackers, CSRF tokens, ids of single requests."""

from __future__ import annotations

import re
from typing import Literal

from hauberk.discovery.carriers import Carrier

Verdict = Literal["good", "doubtful", "bad"]

_RULES: tuple[tuple[str, str, Verdict, str], ...] = (
    # (types it is about, the name, verdict, reason); the first that fits counts.
    ("header cookie", r"(x[-_])?(csrf|xsrf)([-_]?token)?|csrf-?middlewaretoken|_csrf.*|__requestverificationtoken|x-(csrf|xsrf)-.*"
     r"|authenticity_token|antiforgery.*|.*\.antiforgery\..*", "bad",
     "a token against forged requests: it changes with forms and pages, and says nothing of who calls"),
    ("cookie", r"_ga(_.*)?|_gid|_gat.*|_gcl_.*|_gac_.*|__utm.|_fbp|_fbc|_hj.*|_pk_(id|ses|ref).*|mp_.*_mixpanel|ajs_.*|amplitude_.*|amp_.*"
     r"|_uet[sv]id|_cl(ck|sk)|clid|hubspotutk|__hs(tc|sc|src)|intercom-.*|optimizely.*|_mkto_trk|_scid|_tt[ap]?|_ttp|_pin_unauth|nid|ide"
     r"|guest_id.*|personalization_id|muid|anonchk|datr|fr|uuid2|_parsely_.*|_chartbeat.*|_sp_(id|ses).*|vuid|s_(vi|cc|sq|fid)|amcv.*"
     r"|li_(sugr|gc)|bcookie|lidc|_dc_gtm_.*|__gads|__gpi|_cb|loid", "bad",
     "a cookie of analytics or advertising: it names a browser, also where nobody has logged in"),
    ("cookie", r"__cf_bm|cf_clearance|__cfduid|_cfuvid|__cflb|awsalb.*|awselb.*|incap_ses.*|visid_incap.*|nlbi_.*|ak_bmsc|bm_s[vz]|_abck"
     r"|datadome|reese84|route|arraffinity.*|bigipserver.*|ts01.*|srv_?id|serverid", "bad",
     "a cookie of a load balancer or a bot filter: it names a server or a browser, not a caller"),
    ("cookie", r".*consent.*|.*cookie[-_]?(policy|notice|banner).*|euconsent.*|optanon.*|lang(uage)?|locale|theme|timezone|tz|currency"
     r"|country", "bad",
     "a preference: many callers have the same"),
    ("header", r"x-(request|correlation|trace|amzn-trace|transaction|message|operation|invocation|client-request|ms-client-request)-?id"
     r"|request-id|correlation-id|traceparent|tracestate|x-b3-.*|b3|uber-trace-id|x-cloud-trace-context|x-datadog-.*|sentry-trace|baggage"
     r"|newrelic|idempotency-key|x-idempotency-key|x-amz-date|x-amzn-trace-id|cf-ray|x-nonce|x-timestamp|x-signature.*|x-hub-signature.*"
     r"|signature.*|digest|amz-sdk-(request|invocation-id)|x-.*(date|time|timestamp)", "bad",
     "an id, time or signature of one request, not of its caller"),
    ("header", r"x-(app|client|device|platform|sdk|api)-?(version|platform|os|type|name|model|build)|api-version|x-api-version|.*-version"
     r"|x-platform|x-goog-.*|openai-organization|anthropic-version|x-github-api-version", "bad",
     "it names software or a version: many callers have the same"),
    ("header", r"soapaction|x-filter|x-sort|x-fields|alt-used|x-devtools-.*|link|purpose|x-purpose|x-moz|x-turbo-.*|hx-.*", "bad",
     "it says what is asked for, not who asks"),
    ("header", r"(cf-connecting|true-client|client|x-client|fastly-client|x-cluster-client)-ip|x-original-.*|x-envoy-.*|cdn-loop|cf-.*"
     r"|x-middleware-.*|x-vercel-.*", "bad",
     "it is set by proxies on the way, not by the caller"),
    ("cookie", r"phpsessid|jsessionid|asp\.net_sessionid|connect\.sid|laravel_session|_?.*_session(_?id)?|session(_?id)?|sid|ci_session"
     r"|cfid|cftoken|beaker\.session\.id|\.aspnetcore\.session|sess|session-?token", "doubtful",
     "a session of a web framework, which most of them also give to visitors who have not logged in: make sure that this one does not"),
    ("header", r"authorization|x-api-key|api-key|apikey|x-auth-token|x-access-token|x-session-(id|token)|x-user-id|x-account-id"
     r"|x-auth-user|x-consumer-.*|x-.*-token|.*-api-?key|private-token|job-token|x-client-id|x-tenant-id", "good",
     "a header that says who calls"),
    ("cookie", r"(.*[-_.])?(auth|login|jwt|bearer|remember([-_]?me)?|user)([-_.]?(token|session|key|id))?"
     r"|(.*[-_.])?(access|id|auth|refresh|session|user|login)[-_.]?token|__(secure|host)-.*(session|token|auth|sid).*"
     r"|\.aspnetcore\.(identity|cookies).*|\.aspxauth|wordpress_logged_in.*|user_session", "good",
     "a cookie of a login"),
    ("jwt", r"\$\.(sub|email|client_id|user_id|uid|username|preferred_username)", "good",
     "a claim that stays the same when the token is renewed"),
    ("jwt", r"\$\.sid", "good", "the session's id, in the token"),
    ("jwt", r"\$\.jti", "doubtful", "the id of one token: a new one with each renewal"),
    ("jwt", r"\$\.azp", "doubtful", "the client application: all its users share it"),
)  # fmt: skip
_COMPILED = tuple((frozenset(types.split()), re.compile(name, re.IGNORECASE), kind, why) for types, name, kind, why in _RULES)


def about_name(carrier: Carrier) -> tuple[Verdict, str] | None:
    """Tell what is known of a carrier by its name alone; `None` if nothing is."""
    for types, name, verdict, reason in _COMPILED:
        if carrier.type in types and name.fullmatch(carrier.name):
            return verdict, reason
    return None
