/** What tests of the sink of objects share: a copy, step by step. */
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Commit, Prepare, Shape, Target } from '../../copy-contract.ts'
import { column, shapeOf } from '../../files/testing/test-store.ts'
import type { ObjectSession } from '../object-session.ts'
import { soon } from './object-rig.ts'

export const SHAPE = shapeOf([column('id', 'int32'), column('name', 'text')])

export function prepare(session: ObjectSession, where: string, more: Partial<Prepare> = {}): Promise<Target> {
  const asked = { run: 'run_test', shape: SHAPE, where, mode: 'append', key: [], encodings: ['csv'], verify: 'checksum' } as const
  return session.sink.prepare({ ...asked, ...more }, soon())
}

export function write(session: ObjectSession, target: Target, csv: string | Readable, { part = 0, attempt = 1 } = {}): Promise<Commit> {
  const slot = { run: runOf(target), task: `tsk_${part}`, attempt }
  const bytes = typeof csv === 'string' ? Readable.from([Buffer.from(csv)]) : csv
  return session.sink.write({ target, slot, part, bytes, agree: () => undefined }, soon())
}

export function publish(session: ObjectSession, target: Target, commits: readonly Commit[]): Promise<void> {
  const parts = commits.map((commit, part) => ({ part, task: `tsk_${part}`, commit }))
  return session.sink.publish({ target, run: runOf(target), parts }, soon())
}

/** Rows in staging, as the sink tells them. */
export async function countStaged(session: ObjectSession, target: Target): Promise<number> {
  return (await session.sink.digest({ target, run: runOf(target), columns: SHAPE.columns, checksum: false }, soon())).rows
}

export function stagingOf(target: Target): string {
  return (target.own as { staging: string }).staging
}

export function runOf(target: Target): string {
  return stagingOf(target).replace(/^.*\.postern-/, '')
}

export async function readAll(session: ObjectSession, shape: Shape): Promise<string> {
  let all = ''
  for (const part of await session.source.split(shape, { wanted: 1 }))
    all += await text((await session.source.read({ shape, part }, soon())).bytes)
  return all
}
