"""
Have a certificate request signed with the official `cloudflare` SDK, pointed at hauberk.

    python issue_with_sdk.py --url http://127.0.0.1:8080 --token-file state/admin-token --csr phone.csr --out phone.pem
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cloudflare import Cloudflare


def main() -> None:
    """Sign one request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the control plane")
    parser.add_argument("--token-file", type=Path, default=Path("state/admin-token"))
    parser.add_argument("--csr", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--days", type=int, default=365)
    arguments = parser.parse_args()

    with Cloudflare(api_token=arguments.token_file.read_text().strip(), base_url=f"{arguments.url}/client/v4") as client:
        zone = next(iter(client.zones.list()))
        certificate = client.client_certificates.create(zone_id=zone.id, csr=arguments.csr.read_text(), validity_days=arguments.days)
    if certificate is None or certificate.certificate is None:
        raise SystemExit("the answer has no certificate")
    arguments.out.write_text(certificate.certificate)
    print(f"signed {certificate.common_name}, serial number {certificate.serial_number}, until {certificate.expires_on}")


if __name__ == "__main__":
    main()
