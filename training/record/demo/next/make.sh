#!/bin/bash
# Write and build a small Next.js site: rendered on the server, with data fetched on client-side navigation.
set -eu
rm -rf pages .next public; mkdir -p pages/api pages/items public
cat > pages/index.js <<'JS'
import Link from 'next/link'
import { useState } from 'react'
export default function Home({ items, time }) {
  const [found, setFound] = useState([])
  return <main><h1>Catalogue</h1><img src="/logo.svg" alt="" /><input type="search" placeholder="Search" onChange={async e => setFound(await (await fetch('/api/search?q=' + encodeURIComponent(e.target.value))).json())} />
    <ol>{found.map(f => <li key={f.id}>{f.name}</li>)}</ol><ul>{items.map(i => <li key={i.id}><Link href={'/items/' + i.id}>{i.name}</Link></li>)}</ul><Link href="/contact">Contact</Link><p>{time}</p></main>
}
export const getServerSideProps = async () => ({ props: { time: Date.now(), items: [...Array(15).keys()].map(i => ({ id: i + 1, name: 'Item ' + (i + 1) })) } })
JS
cat > 'pages/items/[id].js' <<'JS'
import Link from 'next/link'
import { useState } from 'react'
export default function Item({ item }) {
  const [likes, setLikes] = useState(0)
  return <main><h1>{item.name}</h1><button onClick={async () => setLikes((await (await fetch('/api/items/' + item.id + '/like', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ by: 'mara' }) })).json()).likes)}>Like {likes}</button>
    <Link href={'/items/' + (item.id % 15 + 1)}>Next</Link> <Link href="/">Home</Link></main>
}
export const getServerSideProps = async ({ params }) => ({ props: { item: { id: Number(params.id), name: 'Item ' + params.id } } })
JS
cat > pages/contact.js <<'JS'
import Link from 'next/link'
export default function Contact() {
  return <form method="post" action="/api/contact"><input name="email" type="email" /><textarea name="text" /><button type="submit">Send</button> <Link href="/">Home</Link></form>
}
JS
mkdir -p 'pages/api/items/[id]'
echo "export default (q, a) => a.json([{ id: 1, name: 'Found ' + q.query.q }])" > pages/api/search.js
echo "export default (q, a) => a.redirect(303, '/?sent=1')" > pages/api/contact.js
echo "let likes = 0; export default (q, a) => a.json({ likes: ++likes })" > 'pages/api/items/[id]/like.js'
echo "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'/>" > public/logo.svg
NEXT_TELEMETRY_DISABLED=1 npx next build
