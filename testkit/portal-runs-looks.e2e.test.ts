/** Every page of copies and runs as it looks, wide and on a phone, in light and dark: nobody is shut out, nothing hangs over. */
import { Fault } from '@postern/protocol/fault.ts'
import { moved } from '@postern/service/testing/fake-node.ts'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserMissing, LOOKING } from './browser.ts'
import { choose, PortalRunsRig, reportOf, TIMES, withTimes } from './portal-runs-rig.ts'

const ROWS = [600_000, 300_000, 100_000] as const
const MISSING = new Fault('TABLE_MISSING', { at: 'public.orders' })

describe.skipIf(browserMissing() !== undefined)('pages of copies and runs', () => {
  let rig: PortalRunsRig
  /** Ids of a run that goes on, one that failed, one whose ends differ, and one that went well. */
  let runs: Readonly<Record<'live' | 'failed' | 'differs' | 'well', string>>

  beforeAll(async () => {
    rig = await PortalRunsRig.start()
  })
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]()
  })

  async function someRuns(): Promise<typeof runs> {
    const well = await rig.verified(ROWS, (tasks) => reportOf(ROWS, 0, 'counts', tasks), { to: 'archive/' })
    const differs = await rig.verified(ROWS, (tasks) => reportOf(ROWS, 3, 'checksum', tasks), { to: 'mirror/', verify: 'checksum' })
    const failed = await rig.planned(ROWS, { to: 'daily/' })
    const [bad] = failed.parts
    const fault = { code: MISSING.code, message: MISSING.message, remedy: MISSING.remedy, details: {} }
    if (bad) await rig.second.started(bad)
    if (bad) await rig.second.finished(bad, { outcome: 'failed', fault, counters: moved(20).counters })
    const live = await rig.planned(ROWS, { parallel: 2, rowsPerSecond: 50_000 })
    const [one, two] = live.parts
    if (!one || !two) throw new Error('There are no parts.')
    await rig.node.started(one)
    await rig.second.started(two)
    await rig.node.progress(one, { rowsRead: 250_000, rowsWritten: 240_000, bytesRead: 3e7, bytesWritten: 2.5e7, times: TIMES })
    await rig.second.finished(two, withTimes(moved(300_000)))
    return { live: live.id, failed: failed.id, differs, well }
  }

  test('before anything was copied the list says how to begin', async () => {
    await using visitor = await rig.visit('/runs')
    await visitor.page.getByRole('link', { name: 'Copy a table, files or the result of a query' }).waitFor()

    expect(await visitor.looks('runs-none')).toEqual([])
    runs = await someRuns()
  })

  test('in light and dark, wide and on a phone each shows what it should and shuts nobody out', LOOKING, async () => {
    await using visitor = await rig.visit('/runs')
    const { page } = visitor
    const wrong: string[] = []
    const look = async (name: string, ready: Promise<unknown>) => {
      await ready
      wrong.push(...(await visitor.looks(name)))
    }
    const open = (id: string, more = '') => page.goto(`/runs/${id}${more}`)
    const seen = (text: string) => page.getByText(text, { exact: false }).first().waitFor()

    await look('runs', page.getByRole('link', { name: 'shop:public.orders → lake:mirror/' }).waitFor())
    await page.goto('/runs?text=nothing+is+called+so')
    await look('runs-not-found', seen('No run is like that'))
    await open(runs.live)
    await look('run', seen('1 of 3 parts'))
    await page.getByRole('button', { name: 'orders id 1 to 500000' }).click()
    await look('run-task', page.getByRole('region', { name: 'Task orders id 1 to 500000' }).waitFor())
    await page.getByRole('button', { name: 'Cancel…' }).click()
    await look('run-cancel', page.getByLabel('Type lake to cancel it').waitFor())
    await open(runs.live, '?tab=nodes')
    await look('run-nodes', page.getByRole('group', { name: 'When each node ran what' }).waitFor())
    await open(runs.live, '?tab=copy')
    await look('run-options', seen('Rows that do not fit'))
    await open(runs.live, '?tab=notes')
    await look('run-notes', seen('All parts read one snapshot'))
    await open(runs.failed)
    await look('run-failed', page.getByRole('alert').getByText(MISSING.message).first().waitFor())
    await open(runs.differs, '?tab=verification')
    await look('run-differs', seen('1 of 3 parts differ'))
    await open(runs.well)
    await look('run-well', page.getByRole('button', { name: 'Verify and repair' }).waitFor())
    await forms(page, look)

    expect({ wrong, complaints: visitor.complaints }).toEqual({ wrong: [], complaints: [] })
  })

  async function forms(page: Page, look: (name: string, ready: Promise<unknown>) => Promise<void>): Promise<void> {
    await page.goto(`/copies/new?like=${runs.live}`)
    await look('copy', page.getByLabel('Parts at a time').waitFor())
    await page.goto('/copies/new')
    await page.getByRole('button', { name: 'Run now' }).click()
    await look('copy-problems', page.getByText('Choose the store that is read').waitFor())
    await page.goto('/copies/new?source=shop&sink=shop&query=select%20id%2C%20total%20from%20orders')
    await page.getByRole('radio', { name: /^Upsert/ }).check()
    await page.getByRole('switch', { name: 'Leave out rows that the target cannot take' }).check()
    await choose(page, 'Keep them in the store', 'lake (files)')
    await look('copy-query', page.getByRole('textbox', { name: 'Folder', exact: true }).waitFor())
    await page.goto('/copies/new?source=shop&sink=lake')
    await page.getByRole('button', { name: 'Browse…' }).click()
    await page.getByRole('button', { name: 'public', exact: true }).click()
    await page.getByRole('checkbox', { name: 'Copy all of them' }).check()
    await look('copy-browse', page.getByRole('button', { name: 'Take these 2' }).waitFor())
  }
})
