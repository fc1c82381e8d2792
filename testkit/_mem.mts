import { readFileSync } from 'node:fs'
import { TestNode } from '/work/main/testkit/node.ts'
import { TestService } from '/work/main/testkit/service.ts'

process.chdir('/work/main')
const s = await TestService.start()
const g = await s.client.gateways.create({ name: 'demo' })
const a = await TestNode.start({ name: 'a', url: s.url, key: g.key1 })
const b = await TestNode.start({ name: 'b', url: s.url, key: g.key1 })
const rss = (p) => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${p}/status`, 'utf8'))[1] / 1024
for (const t of [0, 10, 20]) {
  await new Promise((r) => setTimeout(r, t ? 10000 : 100))
  console.log(t, 'MiB nodes', rss(a.process.pid).toFixed(0), rss(b.process.pid).toFixed(0), 'service', rss(s.process.pid).toFixed(0))
}
await a[Symbol.asyncDispose]()
await b[Symbol.asyncDispose]()
await s[Symbol.asyncDispose]()
process.exit(0)
