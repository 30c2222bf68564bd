// A job queue with its dashboard; the jobs live in a Redis of their own.
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import { Queue, Worker } from 'bullmq'
import express from 'express'

const connection = { host: '127.0.0.1', port: 7391 }
const queues = ['mail', 'thumbnails'].map(name => new Queue(name, { connection }))
for (const queue of queues) {
  for (let i = 0; i < 25; i++) await queue.add(`job-${i}`, { number: i })
  new Worker(queue.name, async job => { if (job.data.number % 4 === 0) throw new Error('no such picture') }, { connection, limiter: { max: 1, duration: 2000 } })
}
const adapter = new ExpressAdapter()
adapter.setBasePath('/jobs')
createBullBoard({ queues: queues.map(q => new BullMQAdapter(q)), serverAdapter: adapter })
express().use('/jobs', adapter.getRouter()).listen(process.env.PORT, '127.0.0.1')
