// A React single-page application that talks with its API by fetch.
import React, { useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import './style.css'

const api = (path, options) => fetch('/api/v1' + path, { headers: { 'Content-Type': 'application/json', Authorization: 'Bearer demo-token-1' }, ...options }).then(r => r.json())

function App() {
  const [tasks, setTasks] = useState([]), [word, setWord] = useState(''), [page, setPage] = useState(1), [open, setOpen] = useState(null), [title, setTitle] = useState('')
  const load = () => api(`/tasks?q=${encodeURIComponent(word)}&_page=${page}&_limit=8`).then(setTasks)
  useEffect(() => { load() }, [word, page])
  useEffect(() => { api('/profile'); const timer = setInterval(() => api('/notices?seen=false'), 9000); return () => clearInterval(timer) }, [])
  const show = id => Promise.all([api('/tasks/' + id), api(`/tasks/${id}/comments`)]).then(([task, comments]) => setOpen({ ...task, comments }))
  return <main>
    <h1>Tasks</h1><img src="/logo.svg" width="40" alt="" />
    <input type="search" placeholder="Search" value={word} onChange={e => setWord(e.target.value)} />
    <form onSubmit={e => { e.preventDefault(); api('/tasks', { method: 'POST', body: JSON.stringify({ title, done: false, userId: 1 }) }).then(load) }}>
      <input name="title" placeholder="New task" value={title} onChange={e => setTitle(e.target.value)} /><button type="submit">Add</button></form>
    <ul>{tasks.map(t => <li key={t.id}><a href={'#' + t.id} onClick={() => show(t.id)}>{t.title}</a>
      <button onClick={() => api('/tasks/' + t.id, { method: 'PATCH', body: JSON.stringify({ done: !t.done }) }).then(load)}>{t.done ? 'Undo ' : 'Done '}{t.id}</button>
      <button onClick={() => api('/tasks/' + t.id, { method: 'DELETE' }).then(load)}>Delete {t.id}</button></li>)}</ul>
    <button onClick={() => setPage(page + 1)}>Next page {page}</button><button onClick={() => setPage(Math.max(1, page - 1))}>Previous page {page}</button>
    {open && <section><h2>{open.title}</h2><img src={`/pictures/${open.id % 5}.svg`} alt="" />{open.comments.map(c => <p key={c.id}>{c.text}</p>)}
      <button onClick={() => api('/comments', { method: 'POST', body: JSON.stringify({ taskId: open.id, text: 'Seen' }) }).then(() => show(open.id))}>Comment {open.id}</button>
      <button onClick={() => api('/tasks/' + open.id, { method: 'PUT', body: JSON.stringify({ title: open.title + '!', done: true, userId: 2 }) }).then(load)}>Rename {open.id}</button></section>}
    <a href="/about.html">About</a> <a href="/files/manual.pdf" download>Manual</a>
  </main>
}
createRoot(document.getElementById('app')).render(<App />)
