#!/bin/bash
# Build one of the single-page applications and its json-server data. Usage: make.sh react|vue
set -eu
kind=$1 here=$(dirname "$0")
rm -rf src dist; mkdir -p src/public/pictures src/public/files
for n in 0 1 2 3 4; do echo "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'><circle cx='40' cy='30' r='${n}5'/></svg>" > src/public/pictures/$n.svg; done
cp src/public/pictures/2.svg src/public/logo.svg; cp src/public/pictures/3.svg src/public/favicon.ico; head -c 30000 /dev/zero > src/public/files/manual.pdf; printf 'id,state\n1,open\n' > src/public/orders.csv
for page in about terms; do echo "<!doctype html><title>$page</title><h1>$page</h1><a href=/>Back</a>" > src/public/$page.html; done
echo 'body { font: 16px sans-serif; margin: 2rem }' > src/style.css
cp "$here"/react.jsx "$here"/vue.js src/
main=react.jsx; [ "$kind" = vue ] && main=vue.js
echo "<!doctype html><title>Tasks</title><link rel=manifest href=/app.webmanifest><div id=app></div><script type=module src=/$main></script>" > src/index.html
echo '{"name": "Tasks", "icons": []}' > src/public/app.webmanifest
(cd src && ../node_modules/.bin/vite build --outDir ../dist --emptyOutDir)
node -e '
const n = (count, make) => [...Array(count).keys()].map(i => make(i + 1)), w = ["report", "north", "alpha", "budget", "data"];
const db = { tasks: n(60, i => ({ id: i, title: w[i % 5] + " " + i, done: i % 3 == 0, userId: i % 4 })), comments: n(90, i => ({ id: i, taskId: 1 + i % 60, text: w[i % 5] })), notices: [{ id: 1, seen: false }],
 profile: { name: "Mara" }, orders: n(70, i => ({ id: i, customerId: 1 + i % 20, state: ["open", "shipped", "returned"][i % 3], total: i })), customers: n(20, i => ({ id: i, name: w[i % 5] + i })),
 lines: n(200, i => ({ id: i, orderId: 1 + i % 70, sku: "s" + i })), summary: { open: 23, total: 991 } };
require("fs").writeFileSync("db.json", JSON.stringify(db))'
