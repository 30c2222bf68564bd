"""Applications from npm."""

from application import Application

PASSWORD = "Sommer-2024!x"

NODE = (
    Application(
        "nodered", "Node.js, Express; jQuery (Node-RED)", "https://flow.hemma.example/editor/", 7501, "node-red -u $APP/u -s $APP/settings.js", "npm", ("node-red@4.1.15",),
        setup="mkdir -p u; echo 'module.exports = { uiPort: 7501, uiHost: \"127.0.0.1\", httpAdminRoot: \"/editor/\", flowFile: \"flows.json\", credentialSecret: \"x\", telemetry: { enabled: false } }' > settings.js;"
        " echo '[{\"id\":\"t1\",\"type\":\"tab\",\"label\":\"First\"},{\"id\":\"n1\",\"type\":\"inject\",\"z\":\"t1\",\"name\":\"\",\"props\":[{\"p\":\"payload\"}],\"payload\":\"1\",\"payloadType\":\"num\",\"repeat\":\"\",\"x\":120,\"y\":80,\"wires\":[[\"n2\"]]},"
        "{\"id\":\"n2\",\"type\":\"debug\",\"z\":\"t1\",\"active\":true,\"x\":320,\"y\":80,\"wires\":[]}]' > u/flows.json",
        script=(("wait", "4"), ("key", "Escape"), ("click", "#red-ui-header-button-deploy"), ("wait", "2")), seconds=70,
    ),
    Application(
        "rediscommander", "Node.js, Express; jQuery (Redis Commander)", "http://cache.nordwind.example:8081/rc/", 7502,
        "redis-server --port 7392 --save '' & sleep 4; for i in $(seq 40); do redis-cli -p 7392 set user:$i:name n$i; redis-cli -p 7392 hset order:$i total $i state open; done >/dev/null;"
        " redis-commander --address 127.0.0.1 --port $PORT --redis-port 7392 --url-prefix /rc --noload --nosave", "npm", ("redis-commander@0.9.0",), seconds=60,
    ),
    Application(
        "directus", "Node.js, Express; Vue (Directus)", "https://content.bokskog.example/", 7503, "set -a; . ./env; directus start", "npm", ("directus@11.3.5", "sqlite3@6.0.1"),
        setup=f"printf 'HOST=127.0.0.1\\nPORT=7503\\nPUBLIC_URL=https://content.bokskog.example\\nDB_CLIENT=sqlite3\\nDB_FILENAME=data.db\\nSECRET=abcdefghijkl\\nADMIN_EMAIL=admin@example.com\\nADMIN_PASSWORD=\"{PASSWORD}\"\\nTELEMETRY=false\\nIP_TRUST_PROXY=true\\n' > env;"
        " rm -f data.db; set -a; . ./env; directus bootstrap",
        login=(("open", "admin/login"), ("fill", "input[type=email]", "admin@example.com"), ("fill", "input[type=password]", PASSWORD), ("click", "button[type=submit]"), ("wait", "5")),
        script=(("open", "admin/settings/data-model/+"), ("wait", "3"), ("fill", "input >> visible=true", "ships"), ("click", ".header-bar-actions button"), ("wait", "2")),
        seeds=("admin/content", "admin/users", "admin/files", "admin/settings/data-model", "admin/settings/project", "admin/settings/roles", "admin/settings/flows", "admin/insights", "admin/activity"), seconds=90, wait_seconds=120,
    ),
    Application(
        "verdaccio", "Node.js, Express; React (Verdaccio)", "https://npm.aurora.example/", 7505,
        "(sleep 8; for n in alpha north data-kit; do mkdir -p p/$n; echo \"{\\\"name\\\":\\\"$n\\\",\\\"version\\\":\\\"1.0.0\\\",\\\"description\\\":\\\"d\\\"}\" > p/$n/package.json; echo \"# $n\" > p/$n/README.md;"
        " (cd p/$n; npm publish --registry http://127.0.0.1:$PORT/ --//127.0.0.1:$PORT/:_authToken=x); done) & verdaccio -l 127.0.0.1:$PORT -c conf.yaml", "npm", ("verdaccio@6.8.0",), overrides=(("node-fetch", "2.7.0"),),
        setup="printf 'storage: ./storage\\nauth: {htpasswd: {file: ./htpasswd}}\\npackages:\\n  \"**\": {access: $all, publish: $anonymous}\\nlog: {type: stdout, level: warn}\\nweb: {title: Packages}\\n' > conf.yaml",
        login=(("wait", "8"),), seeds=("", "-/web/detail/alpha", "-/web/detail/north", "-/web/detail/data-kit"), seconds=40,
    ),
    Application(
        "ungit", "Node.js, Express; Knockout (Ungit)", "http://code.quanta.example:8448/", 7506, "ungit --port=$PORT --ungitBindIp=127.0.0.1 --no-launchBrowser --no-bugtracking --no-sendUsageStatistics --logRESTRequests=0", "npm", ("ungit@1.5.30+4d147daa",),
        setup="rm -rf repo; git init -q repo; cd repo; git config user.email a@fjord.example; git config user.name Mara; for i in 1 2 3 4 5; do echo $i > f$i; git add .; git commit -qm \"Change $i\"; done; git branch north; echo 6 > f6; echo x >> f1",
        seeds=("#/repository?path=/tmp/apps/ungit/repo", "#/repository?path=/tmp/apps/ungit/repo"), script=(("open", "#/repository?path=/tmp/apps/ungit/repo"), ("wait", "4")), seconds=60,
    ),
    Application(
        "graphql", "Node.js (GraphQL Yoga)", "https://library.kommun.example/", 7508, "cp $HERE/demo/graphql.mjs . && node graphql.mjs", "npm", ("graphql-yoga@5.24.1", "graphql@16.15.0"),
        script=(("open", "graphql"), ("wait", "3"), ("click", ".graphiql-query-editor"), ("type", "query { books { id title } }"), ("key", "Control+Enter"), ("wait", "2")), seconds=50,
    ),
    Application(
        "bullboard", "Node.js, Express; React (Bull Board)", "https://work.nordwind.example/jobs/", 7509, "redis-server --port 7391 --save '' & sleep 4; cp $HERE/demo/bull_board.mjs . && node bull_board.mjs", "npm",
        ("@bull-board/express@9.10.1", "@bull-board/api@9.10.2", "bullmq@6.7.0", "ioredis@5.11.1", "express@5.3.0"), seeds=("queue/mail", "queue/thumbnails?status=failed", "queue/mail?status=completed"), seconds=50,
    ),
    Application(
        "spa-react", "React with Vite; json-server", "https://tasks.fjord.example/", 7521, "node_modules/.bin/json-server --host 127.0.0.1 --port $PORT --static dist --routes routes.json db.json", "npm",
        ("vite@8.3.8", "@vitejs/plugin-react@6.3.0", "react@19.3.1", "react-dom@19.3.1", "json-server@0.17.4"), setup="bash $HERE/demo/spa/make.sh react; echo '{\"/api/v1/*\": \"/$1\"}' > routes.json", seconds=50,
    ),
    Application(
        "spa-vue", "Vue with Vite; json-server", "http://orders.nordwind.example:3000/", 7522, "node_modules/.bin/json-server --host 127.0.0.1 --port $PORT --static dist --routes routes.json db.json", "npm",
        ("vite@8.3.8", "vue@3.5.45", "axios@1.21.1", "json-server@0.17.4"), setup="bash $HERE/demo/spa/make.sh vue; echo '{\"/rest/*\": \"/$1\"}' > routes.json", seconds=50,
    ),
    Application(
        "nextjs", "Next.js", "https://shop.aurora.example/", 7523, "npx next start -H 127.0.0.1 -p $PORT", "npm", ("next@16.4.6", "react@19.3.1", "react-dom@19.3.1"), setup="bash $HERE/demo/next/make.sh", seconds=45,
    ),
    Application(
        "pouchdb", "Node.js, Express; Backbone (PouchDB Server, Fauxton)", "http://sync.fjord.example:5984/", 7525, "pouchdb-server --port $PORT --host 127.0.0.1 --dir $APP/db --in-memory", "npm", ("pouchdb-server@4.2.0",),
        login=(("open", "_utils/"), ("wait", "2")), seeds=("_utils/#/_all_dbs", "_utils/#/database/ships/_all_docs", "_utils/#/_config", "_utils/#/activetasks", "_utils/#/replication"), seconds=50,
    ),
)  # fmt: skip
