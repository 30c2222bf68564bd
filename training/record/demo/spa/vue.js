// A Vue single-page application that talks with its API by XMLHttpRequest (axios).
import axios from 'axios'
import { createApp } from 'vue/dist/vue.esm-bundler.js'
import './style.css'

const api = axios.create({ baseURL: '/rest', headers: { 'X-Requested-With': 'XMLHttpRequest' } })
createApp({
  data: () => ({ orders: [], customers: [], kind: 'open', word: '', chosen: null, report: null }),
  mounted() { this.load(); api.get('/customers', { params: { _sort: 'name', _order: 'asc' } }).then(r => { this.customers = r.data }) },
  methods: {
    load() { api.get('/orders', { params: { state: this.kind, q: this.word || undefined, _expand: 'customer' } }).then(r => { this.orders = r.data }) },
    open(id) { api.get(`/orders/${id}?_embed=lines`).then(r => { this.chosen = r.data }) },
    ship(id) { api.patch(`/orders/${id}`, { state: 'shipped' }).then(this.load) },
    add() { api.post('/orders', { customerId: 1 + Math.floor(Math.random() * 20), state: 'open', total: 12.5 }).then(this.load) },
    remove(id) { api.delete(`/orders/${id}`).then(this.load) },
    who(id) { api.get(`/customers/${id}`).then(r => { this.chosen = r.data }) },
    sum() { api.get('/summary').then(r => { this.report = r.data }) },
  },
  template: `<h1>Orders</h1><select v-model="kind" @change="load"><option>open</option><option>shipped</option><option>returned</option></select>
    <input type="search" v-model="word" @input="load" placeholder="Search"><button @click="add">New order</button><button @click="sum">Report</button> <a href="/orders.csv" download>CSV</a>
    <table><tr v-for="o in orders"><td><a href="#" @click.prevent="open(o.id)">Order {{ o.id }}</a></td><td><button @click="ship(o.id)">Ship {{ o.id }}</button></td><td><button @click="remove(o.id)">Remove {{ o.id }}</button></td></tr></table>
    <ul><li v-for="c in customers"><a href="#" @click.prevent="who(c.id)">{{ c.name }}</a></li></ul><pre>{{ chosen }}</pre><pre>{{ report }}</pre><img src="/pictures/1.svg"><a href="/terms.html">Terms</a>`,
}).mount('#app')
