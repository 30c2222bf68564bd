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
        "buildbot", "Python, Twisted; Angular and React (Buildbot)", "https://ci.quanta.example/", 7604, "buildbot start --nodaemon m", packages=("buildbot==4.3.0", "buildbot-worker==4.3.0"),
        setup="rm -rf m; buildbot create-master m; printf 'from buildbot.plugins import *\\nc = BuildmasterConfig = {}\\nc[\"workers\"]=[worker.LocalWorker(\"w1\")]\\nf=util.BuildFactory([steps.ShellCommand(command=[\"sleep\",\"2\"]),steps.ShellCommand(command=[\"ls\",\"-l\",\"/\"])])\\n"
        'c["builders"]=[util.BuilderConfig(name=n,workernames=["w1"],factory=f) for n in ("lint","test")]\\nc["schedulers"]=[schedulers.ForceScheduler(name="force",builderNames=["lint","test"]),schedulers.Periodic(name="often",builderNames=["lint"],periodicBuildTimer=8)]\\n'
        "c[\"protocols\"]={\"null\": {}}\\nc[\"buildbotURL\"]=\"https://ci.quanta.example/\"\\nc[\"www\"]={\"port\":\"tcp:7604:interface=127.0.0.1\",\"plugins\":{\"waterfall_view\":{},\"console_view\":{},\"grid_view\":{}},\"allowed_origins\":[\"*\"]}\\nc[\"db\"]={\"db_url\":\"sqlite:///state.sqlite\"}\\nc[\"buildbotNetUsageData\"]=None\\n' > m/master.cfg",
        seeds=("#/builders", "#/builders/1", "#/builders/1/builds/1", "#/waterfall", "#/grid", "#/console", "#/workers", "#/changes", "#/builds", "#/about"), seconds=60,
    ),
    Application(
        "h2o", "Java, Jetty; CoffeeScript (H2O Flow)", "http://ml.nordwind.example:54321/", 7608, "java -Xmx1g -jar venv/lib/python3.11/site-packages/h2o/backend/bin/h2o.jar -port $PORT -web_ip 127.0.0.1 -name recorded", packages=("h2o==3.46.0.12",), seconds=70,
        script=(("open", "flow/index.html"), ("wait", "5"), ("click", "a:has-text('importFiles')"), ("wait", "1"), ("click", "a:has-text('getFrames')"), ("wait", "1"), ("click", "a:has-text('getModels')"), ("wait", "1")),
    ),
    Application("luigi", "Python, Tornado; jQuery (Luigi)", "http://etl.nordwind.example:8082/", 7611, "(sleep 5; for i in 1 2 3; do python -m luigi --module luigi_tasks All --count $i --scheduler-port $PORT --scheduler-host 127.0.0.1; done) & PYTHONPATH=$HERE/demo luigid --address 127.0.0.1 --port $PORT --state-path s.pickle", packages=("luigi==3.8.1",), seconds=35, seeds=("static/visualiser/index.html", "history")),
    Application("evidently", "Python, Litestar; React (Evidently)", "https://quality.aurora.example/", 7612, "evidently ui --host 127.0.0.1 --port $PORT --workspace w", packages=("evidently==0.7.23", "pandas==2.3.3"), seconds=45),
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
    Application("aim", "Python, FastAPI; React (Aim)", "https://runs.quanta.example/", 7627, "aim up --host 127.0.0.1 --port $PORT -y", packages=("aim==3.29.1",), python="3.10.13",
        setup="export AIM_UI_TELEMETRY_ENABLED=0; aim init -y; python -c \"import aim\nfor n in range(3):\n r=aim.Run(experiment='e%d'%n)\n for i in range(20): r.track(1/(i+1),name='loss',step=i)\"", seeds=("metrics", "params", "runs", "experiments", "tags", "bookmarks", "dashboard", "reports"), seconds=60),
    Application("flaskadmin", "Python, Flask (Flask-Admin)", "http://klubb.kommun.example:8090/", 7629, "python $HERE/demo/flask_club.py", packages=("flask-admin==2.2.1", "flask-sqlalchemy==3.1.1", "wtforms==3.1.2", "flask==3.1.3"), seeds=("", "members", "admin/member/", "admin/note/", "admin/note/new/", "admin/member/export/csv/", "admin/fileadmin/"), seconds=50),
)  # fmt: skip
