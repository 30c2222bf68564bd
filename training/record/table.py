"""The table of applications, by name."""

from debian_apps import DEBIAN
from node_apps import NODE
from python_apps import PYTHON
from python_tools import TOOLS
from site_apps import SITES

APPLICATIONS = {app.name: app for app in (*PYTHON, *TOOLS, *NODE, *DEBIAN, *SITES)}
