"""Applications from PyPI."""

from application import Application

PASSWORD = "Sommer-2024!x"

PYTHON = (
    Application(
        "jupyterlab", "Python, Tornado; React and Lumino", "https://lab.quanta.example/team-a/", 7301,
        "jupyter lab --no-browser --allow-root --ip=127.0.0.1 --port=$PORT --ServerApp.base_url=/team-a/ --IdentityProvider.token=secret12"
        " --ServerApp.allow_remote_access=True --ServerApp.trust_xheaders=True --ServerApp.root_dir=$APP/files",
        packages=("jupyterlab==4.6.6", "ipykernel==7.4.0"), python="3.12.1",
        setup="mkdir -p files/data; printf 'a,b\\n1,2\\n' > files/data/table.csv; echo '# Notes' > files/notes.md; echo '{\"a\": 1}' > files/data/x.json;"
        ' echo \'{"cells":[{"cell_type":"code","execution_count":null,"id":"a1","metadata":{},"outputs":[],"source":["1+1"]}],"metadata":{},"nbformat":4,"nbformat_minor":5}\' > files/first.ipynb',
        login=(("fill", "input[name=password]", "secret12"), ("click", "#login_submit"), ("wait", "5")),
        script=(
            ("click", ".jp-LauncherCard[data-category=Notebook]"), ("wait", "4"), ("type", "print(6*7)"), ("key", "Shift+Enter"), ("wait", "2"), ("key", "Control+s"),
            ("wait", "2"), ("click", ".jp-DirListing-item >> nth=0"), ("key", "Enter"), ("wait", "2"), ("open", "lab/tree/notes.md"), ("wait", "3"),
            ("open", "lab/tree/first.ipynb"), ("wait", "4"), ("key", "Shift+Enter"), ("key", "Control+s"), ("wait", "3"), ("open", "lab/tree/data/table.csv"), ("wait", "3"),
        ),
    ),
    Application(
        "django", "Python, Django with admin and REST framework", "https://shop.nordwind.example/", 7302,
        "PYTHONPATH=$HERE/demo gunicorn -w 2 --threads 4 -b 127.0.0.1:$PORT django_shop:application",
        packages=("django==6.1.3", "djangorestframework==3.18.3", "django-filter==26.2", "drf-spectacular==0.30.0", "drf-spectacular-sidecar==2026.10.1", "whitenoise==6.12.0", "gunicorn==27.0.1", "markdown==3.11.3"),
        python="3.12.1", setup="rm -f shop.sqlite3; python $HERE/demo/django_shop.py make",
        login=(("open", "admin/"), ("fill", "#id_username", "admin"), ("fill", "#id_password", PASSWORD), ("click", "input[type=submit]")),
        script=(
            ("open", "shop/order"), ("select", "#id_product", "3"), ("fill", "#id_email", "a@fjord.example"), ("click", "button[type=submit]"),
            ("open", "docs/"), ("wait", "2"), ("click", "#operations-orders-orders_list .opblock-summary-control"), ("click", ".try-out__btn"), ("click", ".execute"), ("wait", "1"),
            ("click", "#operations-products-products_list .opblock-summary-control"), ("click", "#operations-products-products_list .try-out__btn"),
            ("click", "#operations-products-products_list .execute"), ("wait", "1"),
            ("open", ""), ("fill", "#live", "oak"), ("fill", "#live", "blue l"), ("open", "?page=2"), ("fill", "#live", "north"), ("open", "admin/auth/order/add/"),
            ("click", ".select2-selection"), ("type", "steel"), ("wait", "1"), ("key", "Enter"), ("fill", "#id_email", "b@fjord.example"), ("click", "input[name=_save]"),
        ),
        seeds=("", "shop/export.csv", "shop/price-list.pdf", "admin/auth/product/", "api/products/", "redoc/", "api/orders/3/", "api/products/?format=json"), seconds=100,
    ),
    Application(
        "datasette", "Python, ASGI (Datasette)", "http://data.kommun.example:8001/open/", 7303,
        "datasette serve --host 127.0.0.1 --port $PORT --setting base_url /open/ --setting force_https_urls 0 ships.db",
        packages=("datasette==0.65.5",), setup="python -c \"import sqlite3 as s; d=s.connect('ships.db'); d.executescript('create table ships(id integer primary key,name text,"
        "port text);create table calls(id integer primary key,ship integer references ships(id),day text)'); d.executemany('insert into ships(name,port) values(?,?)',"
        " [('Ship %d'%i, ['Kiel','Turku'][i%2]) for i in range(300)]); d.executemany('insert into calls(ship,day) values(?,?)',[(i%300+1,'2024-05-%02d'%(i%28+1))"
        " for i in range(900)]); d.commit()\"",
        seeds=("ships/ships", "ships/ships/3", "ships?sql=select+*+from+ships", "-/metadata", "ships/ships.json", "ships/ships.csv"), seconds=60,
    ),
    Application(
        "mlflow", "Python, Flask and FastAPI; React", "https://ml.aurora.example/", 7304,
        "(sleep 14; python $HERE/demo/mlflow_runs.py http://127.0.0.1:$PORT) & mlflow server --host 127.0.0.1 --port $PORT --allowed-hosts '*' --cors-allowed-origins '*'"
        " --backend-store-uri sqlite:///mlflow.db --workers 1",
        packages=("mlflow==3.17.2",), login=(("wait", "25"),), seeds=("#/experiments", "#/experiments/1", "#/experiments/2", "#/models", "#/compare-experiments/s?experiments=%5B%221%22%2C%222%22%5D"), seconds=110,
    ),
    Application(
        "wagtail", "Python, Django (Wagtail)", "https://redaktion.bokskog.example/", 7305,
        "cd site && python manage.py runserver --noreload 127.0.0.1:$PORT", packages=("wagtail==8.0.1",), python="3.12.1",
        setup="rm -rf site; mkdir site; wagtail start redaktion site; cd site; echo \"ALLOWED_HOSTS=['*']; CSRF_TRUSTED_ORIGINS=['https://*.example']; SECURE_PROXY_SSL_HEADER=('HTTP_X_FORWARDED_PROTO','https')\" > redaktion/settings/local.py;"
        f" python manage.py migrate -v0; DJANGO_SUPERUSER_PASSWORD='{PASSWORD}' python manage.py createsuperuser --noinput --username admin --email a@fjord.example",
        login=(("open", "admin/"), ("fill", "#id_username", "admin"), ("fill", "#id_password", PASSWORD), ("click", "button[type=submit]"), ("wait", "2")),
        script=(("open", "admin/pages/3/add_subpage/"), ("open", "admin/pages/add/home/homepage/3/"), ("fill", "#id_title", "Autumn"), ("wait", "2"), ("click", ".action-save"), ("wait", "1")),
        seeds=("admin/pages/3/", "admin/images/", "admin/images/add/", "admin/users/", "admin/reports/site-history/", "admin/settings/"),
    ),
    Application(
        "flower", "Python, Tornado (Flower)", "http://queue.fjord.example/flower/", 7306,
        "redis-server --port 7390 --save '' --daemonize no & cd $HERE/demo; sleep 4; celery -A celery_tasks worker -E -c 1 -D --logfile=$APP/w.log --pidfile=$APP/w.pid; python celery_tasks.py;"
        " celery -A celery_tasks flower --address=127.0.0.1 --port=$PORT --url_prefix=/flower",
        packages=("flower==2.2.0", "celery==5.7.0", "redis==8.1.0", "packaging==26.3"), seeds=("", "tasks", "broker", "workers"), seconds=60,
    ),
    Application(
        "optuna", "Python, Bottle; React (Optuna dashboard)", "http://tune.quanta.example:8085/", 7307,
        "optuna-dashboard --host 127.0.0.1 --port $PORT sqlite:///study.db", packages=("optuna-dashboard==0.21.0", "optuna==5.0.0"), setup="python $HERE/demo/optuna_study.py",
        seeds=("dashboard/studies/1", "dashboard/studies/1/trials", "dashboard/studies/2/analytics", "dashboard/studies/2/note", "dashboard/compare-studies?ids=1,2"), seconds=70,
    ),
    Application(
        "prefect", "Python, FastAPI; Vue (Prefect)", "https://flows.aurora.example/", 7308,
        "export PREFECT_SERVER_UI_API_URL=/api PREFECT_HOME=$APP/state PREFECT_SERVER_ANALYTICS_ENABLED=false; (sleep 15; PREFECT_API_URL=http://127.0.0.1:$PORT/api python $HERE/demo/prefect_flow.py) &"
        " prefect server start --host 127.0.0.1 --port $PORT",
        packages=("prefect==3.4.25", "fastapi==0.115.14", "starlette==0.46.2", "pydantic==2.11.10", "importlib-metadata==10.2.0"), login=(("wait", "15"),), seeds=("dashboard", "runs", "flows", "deployments", "blocks", "variables", "automations", "settings", "concurrency-limits", "events", "work-pools"), seconds=100,
    ),
    Application(
        "locust", "Python, Flask; React (Locust)", "http://load.nordwind.example:8089/", 7350,
        "locust -f $HERE/demo/locustfile.py --web-host 127.0.0.1 --web-port $PORT", packages=("locust==2.47.0",),
        script=(("click", "button[type=submit]"), ("wait", "6")), seconds=60,
    ),
    Application(
        "marimo", "Python, Starlette; React (Marimo)", "https://notes.quanta.example/", 7310,
        "cd files && marimo edit --headless --no-token --host 127.0.0.1 --port $PORT --proxy notes.quanta.example --skip-update-check", packages=("marimo==0.25.2",), python="3.12.1",
        setup="mkdir -p files; printf 'import marimo\\napp = marimo.App()\\n\\n@app.cell\\ndef _():\\n    x = 1\\n    return (x,)\\n\\n@app.cell\\ndef _(x):\\n    x + 1\\n    return\\n' > files/first.py",
        script=(("open", "?file=first.py"), ("wait", "6"), ("key", "Control+s"), ("wait", "2")), seconds=70,
    ),
    Application(
        "streamlit", "Python, Tornado; React (Streamlit)", "https://harbour.kommun.example/stats/", 7311,
        "streamlit run $HERE/demo/streamlit_page.py --server.headless true --server.address 127.0.0.1 --server.port $PORT --server.baseUrlPath stats --browser.gatherUsageStats false"
        " --server.enableCORS false --server.enableXsrfProtection false",
        packages=("streamlit==1.67.0",), python="3.12.1", seconds=50,
    ),
    Application(
        "gradio", "Python, FastAPI; Svelte (Gradio)", "http://ai.fjord.example/", 7312,
        "GRADIO_ANALYTICS_ENABLED=False python $HERE/demo/gradio_page.py", packages=("gradio==6.31.0",), python="3.12.1", seconds=60,
        script=(("fill", "textarea", "north"), ("click", "button:has-text('Submit')"), ("wait", "2"), ("click", "button:has-text('Chat')"), ("fill", "textarea:visible", "hello"), ("key", "Enter"), ("wait", "2")),
    ),
    Application(
        "dash", "Python, Flask; React (Dash)", "https://board.nordwind.example/ships/", 7313,
        "PREFIX=/ships/ python $HERE/demo/dash_page.py", packages=("dash==4.4.1", "pandas==3.1.1"), python="3.12.1", seconds=60,
    ),
    Application("nicegui", "Python, FastAPI; Vue (NiceGUI)", "http://green.house.example:8080/", 7314, "python $HERE/demo/nicegui_page.py", packages=("nicegui==3.18.0",), python="3.12.1", seconds=40),
    Application(
        "panel", "Python, Tornado (Bokeh server)", "https://viz.kommun.example/", 7315,
        "panel serve $HERE/demo/panel_page.py --address 127.0.0.1 --port $PORT --allow-websocket-origin '*' --use-xheaders", packages=("bokeh==3.10.2", "panel==1.10.0"), python="3.12.1", seconds=30,
    ),
)  # fmt: skip
