/** What the first view of the portal costs somebody who was never there, in a real Chromium. */
import { availableParallelism, loadavg } from 'node:os'
import { gzipSync } from 'node:zlib'
import type { Cookie } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, type Portal } from './browser.ts'
import { Cluster } from './cluster.ts'

const PERSON = { name: 'ada', password: 'a gate in the north wall', role: 'administrator' } as const
const MOST_BYTES = 250_000
const MOST_MS = 1_500
/** The machine may be busy with something else: one of these must be soon enough. */
const COLD_TRIES = 5

describe.skipIf(browserMissing() !== undefined)('the first view of the portal', () => {
  let cluster: Cluster
  let browser: Browser
  let portal: Portal

  beforeAll(async () => {
    ;[cluster, browser] = await Promise.all([Cluster.start(), Browser.start()])
    await cluster.client.people.create(PERSON)
    portal = browser.portal(cluster.service.url, PERSON)
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  })

  test('a cold browser has the first page soon, with little to load', async () => {
    await using visitor = await portal.visit('/')
    const cookies = await visitor.page.context().cookies()
    const tries: ColdStart[] = []
    let best = Number.POSITIVE_INFINITY
    while (tries.length < COLD_TRIES && best >= MOST_MS) {
      const one = await coldStart(browser, cluster.service.url, cookies)
      tries.push(one)
      best = Math.min(best, one.ms)
    }
    const bytes = Math.max(...tries.map((one) => one.bytes))
    console.info(
      `portal: ${bytes} bytes of JavaScript (gzip) up to the gateways; usable after ${tries.map(({ ms }) => Math.round(ms)).join(', ')} ms`,
    )

    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThan(MOST_BYTES)
    if (!isBusy()) expect(best).toBeLessThan(MOST_MS)
  })
})

interface ColdStart {
  readonly ms: number
  readonly bytes: number
}

/** Signed in, with an empty cache: until the gateways stand there and can be opened, and what scripts came for that. */
async function coldStart(browser: Browser, url: string, cookies: readonly Cookie[]): Promise<ColdStart> {
  await using visitor = await browser.visitor(url)
  const { page } = visitor
  await page.context().addCookies(cookies)
  const scripts = new Set<string>()
  page.on('request', (request) => {
    const { pathname } = new URL(request.url())
    if (pathname.endsWith('.js')) scripts.add(pathname)
  })
  const from = performance.now()
  await page.goto('/')
  await page.getByRole('link', { name: 'demo', exact: true }).waitFor()
  const ms = performance.now() - from
  const sizes = await Promise.all([...scripts].map(async (path) => compressedBytes(await (await fetch(url + path)).arrayBuffer())))
  return { ms, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

/** More wants to run than can: then how long something takes says nothing of it, and is only printed. */
const isBusy = (): boolean => (loadavg()[0] ?? 0) > 2 * availableParallelism()

const compressedBytes = (script: ArrayBuffer): number => gzipSync(script, { level: 9 }).length
