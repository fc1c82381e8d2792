/** What tests of the sink of objects share. */
import { text } from 'node:stream/consumers'
import type { Shape, Target } from '../../copy-contract.ts'
import { column, shapeOf } from '../../files/test-store.ts'
import type { ObjectSession } from '../object-session.ts'
import { soon } from './object-rig.ts'

export const SHAPE = shapeOf([column('id', 'int32'), column('name', 'text')])
/** Little data then has many blocks. S3 wants at least 5 MB of each but the last; the test server does not. */
export const BLOCK_BYTES = 64 << 10

export function slotOf(target: Target, part: number, attempt: number) {
  return { target, slot: { run: runOf(target), task: `tsk_${part}`, attempt } }
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
