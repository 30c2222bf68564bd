"""More applications from PyPI: consoles, trackers, wikis, home servers."""

from application import Application

PASSWORD = "Sommer-2024!x"

TOOLS = (
    Application(
        "glances", "Python, FastAPI; Vue (Glances)", "http://mon.hemma.example:61208/", 7601, "glances -w -B 127.0.0.1 -p $PORT --disable-check-update --disable-autodiscover", packages=("glances==4.5.8",), seconds=40,
        seeds=("docs", "#/"),
    ),
    Application(
        "changedetection", "Python, Flask (changedetection.io)", "https://watch.nordwind.example/", 7602, "mkdir -p d && changedetection.io -d d -h 127.0.0.1 -p $PORT", packages=("changedetection.io==0.60.10",),
        login=(("fill", "input[name=url]", "http://127.0.0.1:7602/static/"), ("click", "#watch_submit_button"), ("wait", "2")), seeds=("settings", "imports", "tags", "api/docs", "backups"), seconds=70,
    ),
    Application(
        "pretalx", "Python, Django (pretalx)", "https://talks.kommun.example/", 7603,
        "export PRETALX_DATA_DIR=$APP/d PRETALX_SITE_URL=https://talks.kommun.example PRETALX_DEBUG=True; python -m pretalx runserver --noreload 127.0.0.1:$PORT", packages=("pretalx==2026.1.2",), python="3.12.1",
        setup="mkdir -p d; export PRETALX_DATA_DIR=$APP/d PRETALX_SITE_URL=https://talks.kommun.example PRETALX_DEBUG=True; python -m pretalx migrate -v0;"
        f" PRETALX_INIT_ORGANISER_NAME=Kommun PRETALX_INIT_ORGANISER_SLUG=kommun DJANGO_SUPERUSER_EMAIL=a@fjord.example DJANGO_SUPERUSER_PASSWORD='{PASSWORD}' python -m pretalx init --noinput || true",
        login=(("open", "orga/login/"), ("fill", "input[type=email]", "a@fjord.example"), ("fill", "input[type=password]", PASSWORD), ("click", "button[type=submit]"), ("wait", "2")),
        seeds=("orga/", "orga/event/", "orga/event/new/", "orga/admin/", "orga/me"), seconds=70,
    ),
    Application(
        "buildbot", "Python, Twisted; Angular and React (Buildbot)", "https://ci.quanta.example/", 7604, "buildbot start --nodaemon m", packages=("buildbot==4.3.0", "buildbot-worker==4.3.0"),
        setup="rm -rf m; buildbot create-master m; printf 'from buildbot.plugins import *\\nc = BuildmasterConfig = {}\\nc[\"workers\"]=[worker.LocalWorker(\"w1\")]\\nf=util.BuildFactory([steps.ShellCommand(command=[\"sleep\",\"2\"]),steps.ShellCommand(command=[\"ls\",\"-l\",\"/\"])])\\n"
        'c["builders"]=[util.BuilderConfig(name=n,workernames=["w1"],factory=f) for n in ("lint","test")]\\nc["schedulers"]=[schedulers.ForceScheduler(name="force",builderNames=["lint","test"]),schedulers.Periodic(name="often",builderNames=["lint"],periodicBuildTimer=8)]\\n'
        "c[\"protocols\"]={\"null\": {}}\\nc[\"buildbotURL\"]=\"https://ci.quanta.example/\"\\nc[\"www\"]={\"port\":\"tcp:7604:interface=127.0.0.1\",\"plugins\":{\"waterfall_view\":{},\"console_view\":{},\"grid_view\":{}},\"allowed_origins\":[\"*\"]}\\nc[\"db\"]={\"db_url\":\"sqlite:///state.sqlite\"}\\nc[\"buildbotNetUsageData\"]=None\\n' > m/master.cfg",
        seeds=("#/builders", "#/builders/1", "#/builders/1/builds/1", "#/waterfall", "#/grid", "#/console", "#/workers", "#/changes", "#/builds", "#/about"), seconds=60,
    ),
    Application(
        "devpi", "Python, Pyramid (devpi)", "https://pypi.aurora.example/", 7605, "devpi-server --host 127.0.0.1 --port $PORT --serverdir d --no-root-pypi --outside-url https://pypi.aurora.example",
        packages=("devpi-server==6.20.3", "devpi-web==5.1.1"), setup="rm -rf d; devpi-init --serverdir d --no-root-pypi --root-passwd secret12", seeds=("", "root", "+search?query=x", "+status"), seconds=25,
    ),
    Application(
        "pyload", "Python, Flask; jQuery (pyLoad)", "http://fetch.hemma.example:8000/", 7607, "pyload --userdir u --storagedir s", packages=("pyload-ng==0.5.0b3.dev101",),
        setup="mkdir -p u/settings s; printf 'version: 2\\n\\nwebui - \"Web Interface\":\\n\\tstr host : \"IP address\" = 127.0.0.1\\n\\tint port : \"Port\" = 7607\\n' > u/settings/pyload.cfg",
        login=(("fill", "input[name=username]", "pyload"), ("fill", "input[name=password]", "pyload"), ("click", "button[type=submit], input[type=submit]"), ("wait", "2")), seeds=("dashboard", "queue", "collector", "settings", "logs", "files"), seconds=60,
    ),
    Application(
        "h2o", "Java, Jetty; CoffeeScript (H2O Flow)", "http://ml.nordwind.example:54321/", 7608, "java -Xmx1g -jar venv/lib/python3.11/site-packages/h2o/backend/bin/h2o.jar -port $PORT -web_ip 127.0.0.1 -name recorded", packages=("h2o==3.46.0.12",), seconds=70,
        script=(("open", "flow/index.html"), ("wait", "5"), ("click", "a:has-text('importFiles')"), ("wait", "1"), ("click", "a:has-text('getFrames')"), ("wait", "1"), ("click", "a:has-text('getModels')"), ("wait", "1")),
    ),
    Application(
        "ray", "Python, aiohttp; React (Ray dashboard)", "https://cluster.aurora.example/", 7609, "ray start --head --block --port=7709 --dashboard-host=127.0.0.1 --dashboard-port=$PORT --num-cpus=1 --disable-usage-stats --temp-dir=/tmp/ray-rec", packages=("ray==2.60.0",),
        seeds=("#/jobs", "#/cluster", "#/actors", "#/logs", "#/overview", "#/serve", "#/metrics"), seconds=60,
    ),
    Application("dask", "Python, Tornado, Bokeh (Dask)", "http://dask.quanta.example:8787/", 7610, "dask scheduler --host 127.0.0.1 --port 7710 --dashboard-address 127.0.0.1:$PORT", packages=("dask==2026.8.0",), python="3.12.1", seconds=40, seeds=("status", "workers", "tasks", "system", "info/main/workers.html", "graph")),
    Application("luigi", "Python, Tornado; jQuery (Luigi)", "http://etl.nordwind.example:8082/", 7611, "(sleep 5; for i in 1 2 3; do python -m luigi --module luigi_tasks All --count $i --scheduler-port $PORT --scheduler-host 127.0.0.1; done) & PYTHONPATH=$HERE/demo luigid --address 127.0.0.1 --port $PORT --state-path s.pickle", packages=("luigi==3.8.1",), seconds=35, seeds=("static/visualiser/index.html", "history")),
    Application("evidently", "Python, Litestar; React (Evidently)", "https://quality.aurora.example/", 7612, "evidently ui --host 127.0.0.1 --port $PORT --workspace w", packages=("evidently==0.7.23", "pandas==2.3.3"), seconds=45),
    Application(
        "octoprint", "Python, Flask and Tornado; Knockout (OctoPrint)", "http://printer.hemma.example:5000/", 7614, "octoprint serve --iknowwhatimdoing --host 127.0.0.1 --port $PORT -b $APP/o", packages=("octoprint==1.11.8",),
        setup=f"mkdir -p o; printf 'server:\\n  firstRun: false\\n  onlineCheck:\\n    enabled: false\\n  pluginBlacklist:\\n    enabled: false\\nplugins:\\n  tracking:\\n    enabled: false\\ndevel:\\n  virtualPrinter:\\n    enabled: true\\n' > o/config.yaml; octoprint -b $APP/o user add admin --password '{PASSWORD}' --admin || true",
        login=(("wait", "4"), ("fill", "#login-user, input[name=username]", "admin"), ("fill", "#login-password, input[name=password]", PASSWORD), ("click", "#login-button, button[type=submit]"), ("wait", "6")), seconds=80,
    ),
    Application(
        "calibreweb", "Python, Flask; jQuery (Calibre-Web)", "https://books.bokskog.example/", 7615, "CALIBRE_PORT=$PORT cps -p $APP/app.db -i 127.0.0.1", packages=("calibreweb==0.6.27",),
        login=(("fill", "#username", "admin"), ("fill", "#password", "admin123"), ("click", "button[type=submit]"), ("wait", "2")), seeds=("admin/view", "me", "admin/config", "admin/user/new"), seconds=50,
    ),
    Application(
        "labelstudio", "Python, Django; React (Label Studio)", "https://label.aurora.example/", 7616,
        "export LABEL_STUDIO_BASE_DATA_DIR=$APP/d LABEL_STUDIO_HOST= CSRF_TRUSTED_ORIGINS=https://label.aurora.example COLLECT_ANALYTICS=False; label-studio start --no-browser --internal-host 127.0.0.1 --port $PORT --username admin@fjord.example --password " + PASSWORD, packages=("label-studio==1.23.2",),
        login=(("open", "user/login/"), ("fill", "#email", "admin@fjord.example"), ("fill", "#password", PASSWORD), ("click", "button[type=submit]"), ("wait", "4")),
        script=(("click", "button:has-text('Create')"), ("wait", "2"), ("fill", "#project_name", "Ships"), ("click", "button:has-text('Save')"), ("wait", "4")), seeds=("projects/", "projects/1/data", "projects/1/settings", "projects/1/settings/labeling", "organization/", "user/account", "docs/api/"), seconds=70, wait_seconds=180,
    ),
    Application(
        "superset", "Python, Flask-AppBuilder; React (Superset)", "https://bi.nordwind.example/", 7617, "export FLASK_APP=superset SUPERSET_CONFIG_PATH=$HERE/demo/superset_config.py; gunicorn -w 1 --threads 8 --timeout 120 -b 127.0.0.1:$PORT 'superset.app:create_app()'", packages=("apache-superset==6.1.0", "gunicorn==27.0.1", "cachetools==8.0.1", "flask-caching==2.3.1", "pillow==12.3.0", "rich==15.0.0"),
        setup=f"export FLASK_APP=superset SUPERSET_CONFIG_PATH=$HERE/demo/superset_config.py; superset db upgrade; superset fab create-admin --username admin --firstname A --lastname B --email a@fjord.example --password '{PASSWORD}'; superset init",
        login=(("open", "login/"), ("fill", "#username", "admin"), ("fill", "#password", PASSWORD), ("click", "input[type=submit], button[type=submit]"), ("wait", "4")),
        seeds=("superset/welcome/", "chart/list/", "dashboard/list/", "tablemodelview/list/", "databaseview/list/", "sqllab/", "users/list/", "logmodelview/list/", "csstemplatemodelview/list/", "swagger/v1"), seconds=80, wait_seconds=150,
    ),
    Application(
        "airflow", "Python, FastAPI; React (Airflow)", "https://dags.quanta.example/", 7618, "export AIRFLOW_HOME=$APP/a AIRFLOW__API__PORT=$PORT AIRFLOW__API__HOST=127.0.0.1 AIRFLOW__API__BASE_URL=https://dags.quanta.example AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS=True AIRFLOW__CORE__LOAD_EXAMPLES=True; airflow standalone", packages=("apache-airflow==3.3.2",),
        setup="export AIRFLOW_HOME=$APP/a; airflow db migrate", login=(("wait", "20"),), seeds=("dags", "dag_runs", "task_instances", "assets", "variables", "pools", "connections", "events", "configs", "providers"), seconds=90, wait_seconds=180,
    ),
    Application(
        "dagster", "Python, Starlette; React with GraphQL (Dagster)", "https://assets.aurora.example/dagster/", 7619, "mkdir -p h; DAGSTER_HOME=$APP/h DAGSTER_DISABLE_TELEMETRY=1 dagster-webserver -f $HERE/demo/dagster_defs.py -h 127.0.0.1 -p $PORT --path-prefix /dagster", packages=("dagster==1.13.27", "dagster-webserver==1.13.27"),
        seeds=("overview", "runs", "assets", "asset-groups", "jobs", "locations", "deployment/daemons", "automation", "concurrency"), seconds=60,
    ),
    Application(
        "pgadmin", "Python, Flask; React (pgAdmin)", "https://db.quanta.example/pgadmin4/", 7620, "export PYTHONPATH=$APP; SCRIPT_NAME=/pgadmin4 gunicorn -w 1 --threads 10 -b 127.0.0.1:$PORT --chdir venv/lib/python3.11/site-packages/pgadmin4 pgAdmin4:app", packages=("pgadmin4==9.18", "gunicorn==23.0.0"),
        setup="mkdir -p d; printf \"SERVER_MODE=True\\nDATA_DIR='$APP/d'\\nLOG_FILE='$APP/d/l'\\nSQLITE_PATH='$APP/d/p.db'\\nSESSION_DB_PATH='$APP/d/s'\\nSTORAGE_DIR='$APP/d/st'\\nUPGRADE_CHECK_ENABLED=False\\nMASTER_PASSWORD_REQUIRED=False\\n\" > venv/lib/python3.11/site-packages/pgadmin4/config_local.py;"
        " PGADMIN_SETUP_EMAIL=admin@fjord.example PGADMIN_SETUP_PASSWORD=secret12 python venv/lib/python3.11/site-packages/pgadmin4/setup.py setup-db",
        login=(("fill", "input[name=email]", "admin@fjord.example"), ("fill", "input[name=password]", "secret12"), ("click", "button[type=submit], button:has-text('Login')"), ("wait", "6")), seconds=70,
    ),
    Application("tensorboard", "Python, Werkzeug; Angular and Polymer (TensorBoard)", "https://tb.aurora.example/exp/", 7621, "tensorboard --logdir logs --host 127.0.0.1 --port $PORT --path_prefix /exp", packages=("tensorboard==2.21.0",),
        setup="python -c \"from tensorboard.summary.writer.event_file_writer import EventFileWriter as W; from tensorboard.compat.proto.event_pb2 import Event; from tensorboard.compat.proto.summary_pb2 import Summary;\nfor r in ('a','b'):\n w=W('logs/'+r)\n for i in range(40):\n  w.add_event(Event(step=i,wall_time=1700000000+i,summary=Summary(value=[Summary.Value(tag='loss/'+t,simple_value=1/(i+1)) for t in ('train','test')])))\n w.close()\"", seeds=("", "#scalars", "#timeseries"), seconds=45),
    Application(
        "trac", "Python (Trac)", "http://trac.kommun.example/projects/roads/", 7622, "tracd --hostname=127.0.0.1 --port $PORT --base-path=/projects --basic-auth='roads,passwd,Roads' roads", packages=("trac==1.6", "setuptools==59.8.0"), python="3.9.18",
        setup="rm -rf roads; trac-admin roads initenv Roads sqlite:db/trac.db; trac-admin roads permission add anonymous TRAC_ADMIN; touch passwd", seeds=("wiki", "newticket", "report", "roadmap", "timeline", "admin", "search?q=wiki", "query", "wiki/TracGuide", "report/1?format=csv"),
        script=(("open", "newticket"), ("fill", "#field-summary", "Hole in Elm Street"), ("fill", "#field-description", "Deep."), ("wait", "2"), ("click", "input[name=submit]")), seconds=60,
    ),
    Application(
        "moin", "Python, Flask (MoinMoin)", "http://notes.fjord.example/", 7623, "cd w && moin run -h 127.0.0.1 -p $PORT", packages=("moin==2.0.0b3",),
        setup="rm -rf w; mkdir w; cd w; moin create-instance --path . || true; moin index-create || true; moin import-help -n help-en || true; moin welcome || true", seeds=("Home", "+index/all", "+history", "+search?q=wiki", "+register"), seconds=40,
    ),
    Application(
        "roundup", "Python (Roundup)", "https://issues.nordwind.example/demo/", 7624, "roundup-server -n 127.0.0.1 -p $PORT demo=$APP/t", packages=("roundup==2.6.0",),
        setup="rm -rf t; roundup-admin -i t install classic anydbm; sed -i 's|^#*web = .*|web = https://issues.nordwind.example/demo/|; s|^#*domain = .*|domain = nordwind.example|; s|^#*host = .*|host = localhost|' t/config.ini; roundup-admin -i t initialise secret12",
        login=(("fill", "input[name=__login_name]", "admin"), ("fill", "input[name=__login_password]", "secret12"), ("click", "input[value=Login]")), script=(("open", "issue?@template=item"), ("fill", "input[name=title]", "Broken lamp"), ("fill", "textarea[name='@note']", "On floor 2"), ("click", "input[name=submit_button]")), seconds=50,
    ),
    Application(
        "homeassistant", "Python, aiohttp; Lit (Home Assistant)", "https://home.hemma.example/", 7625, "mkdir -p c; hass -c c --skip-pip", packages=("homeassistant==2025.4.4",), python="3.13.0",
        setup="mkdir -p c; printf 'http:\\n  server_port: 7625\\n  server_host: 127.0.0.1\\n  use_x_forwarded_for: true\\n  trusted_proxies: [127.0.0.1]\\nfrontend:\\napi:\\nconfig:\\nhistory:\\nonboarding:\\n' > c/configuration.yaml", seconds=60, wait_seconds=120,
    ),
    Application("kedroviz", "Python, FastAPI; React (Kedro-Viz)", "https://pipes.aurora.example/", 7626, "cd p && kedro viz run --host 127.0.0.1 --port $PORT --no-browser", packages=("kedro-viz==12.5.0", "kedro==1.7.0"), setup="rm -rf p; printf 'p\\n' > /dev/null; kedro new --name p --tools none --example n --telemetry no", seconds=30),
    Application("aim", "Python, FastAPI; React (Aim)", "https://runs.quanta.example/", 7627, "aim up --host 127.0.0.1 --port $PORT -y", packages=("aim==3.29.1",), python="3.10.13",
        setup="export AIM_UI_TELEMETRY_ENABLED=0; aim init -y; python -c \"import aim\nfor n in range(3):\n r=aim.Run(experiment='e%d'%n)\n for i in range(20): r.track(1/(i+1),name='loss',step=i)\"", seeds=("metrics", "params", "runs", "experiments", "tags", "bookmarks", "dashboard", "reports"), seconds=60),
    Application("flaskadmin", "Python, Flask (Flask-Admin)", "http://klubb.kommun.example:8090/", 7629, "python $HERE/demo/flask_admin.py", packages=("flask-admin==2.2.1", "flask-sqlalchemy==3.1.1", "wtforms==3.1.2", "flask==3.1.3"), seeds=("", "members", "admin/member/", "admin/note/", "admin/note/new/", "admin/member/export/csv/", "admin/fileadmin/"), seconds=50),
    Application("supervisor", "Python, Medusa (Supervisor)", "http://host3.aurora.example:9001/", 7630, "supervisord -n -c s.conf", packages=("supervisor==4.3.0", "setuptools==79.0.1"), setup="printf '[supervisord]\\nnodaemon=true\\n[inet_http_server]\\nport=127.0.0.1:7630\\n[program:clock]\\ncommand=bash -c \"while true; do date; sleep 1; done\"\\n[program:idle]\\ncommand=sleep 9999\\n[rpcinterface:supervisor]\\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\\n' > s.conf", seconds=20),
    Application("solara", "Python, Starlette; Vue (Solara)", "https://explore.kommun.example/", 7631, "solara run $HERE/demo/solara_page.py --host 127.0.0.1 --port $PORT --production --no-open", packages=("solara==1.64.1",), python="3.12.1", seconds=25),
)  # fmt: skip
