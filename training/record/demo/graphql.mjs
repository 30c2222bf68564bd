// A GraphQL server with its explorer, and a page whose script asks it.
import { createServer } from 'node:http'
import { createSchema, createYoga } from 'graphql-yoga'

const books = [...Array(30).keys()].map(i => ({ id: String(i + 1), title: `Book ${i + 1}`, author: ['Lind', 'Berg', 'Ek'][i % 3] }))
const yoga = createYoga({
  graphqlEndpoint: '/graphql',
  schema: createSchema({
    typeDefs: 'type Book { id: ID! title: String! author: String! } type Query { books(author: String, first: Int): [Book!]! book(id: ID!): Book } type Mutation { rename(id: ID!, title: String!): Book }',
    resolvers: {
      Query: { books: (_, a) => books.filter(b => !a.author || b.author === a.author).slice(0, a.first ?? 10), book: (_, a) => books.find(b => b.id === a.id) },
      Mutation: { rename: (_, a) => Object.assign(books.find(b => b.id === a.id), { title: a.title }) },
    },
  }),
})
const page = `<!doctype html><title>Library</title><link rel=stylesheet href=/style.css><h1>Library</h1><input type=search id=word placeholder="Author"><div id=list></div><pre id=one></pre><a href=/graphql>Explorer</a> <a href=/about>About</a>
<script src=/app.js></script>`
const script = `const ask = (query, variables, name) => fetch('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ operationName: name, query, variables }) }).then(r => r.json())
const list = author => ask('query List($author: String) { books(author: $author) { id title } }', { author }, 'List').then(r => { document.getElementById('list').innerHTML = r.data.books.map(b => '<button onclick="one(' + b.id + ')">' + b.title + '</button><button onclick="rename(' + b.id + ')">Rename ' + b.id + '</button>').join('') })
window.one = id => ask('query One($id: ID!) { book(id: $id) { id title author } }', { id }, 'One').then(r => { document.getElementById('one').textContent = JSON.stringify(r.data) })
window.rename = id => ask('mutation R($id: ID!, $title: String!) { rename(id: $id, title: $title) { id } }', { id, title: 'New ' + id }, 'R').then(() => list())
document.getElementById('word').oninput = e => list(e.target.value || null)
list(); fetch('/graphql?query=' + encodeURIComponent('{ books(first: 1) { id } }'))`
createServer((request, answer) => {
  const send = (type, body) => { answer.setHeader('content-type', type); answer.end(body) }
  if (request.url === '/') return send('text/html', page)
  if (request.url === '/about') return send('text/html', '<!doctype html><title>About</title><a href=/>Back</a>')
  if (request.url === '/app.js') return send('text/javascript', script)
  if (request.url === '/style.css') return send('text/css', 'body{font-family:sans-serif}')
  return yoga(request, answer)
}).listen(process.env.PORT, '127.0.0.1')
