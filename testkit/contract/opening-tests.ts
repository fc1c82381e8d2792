import { expect, test } from 'vitest'
import { faultOf } from '../fault-of.ts'
import { limit, type SuiteParts } from './suite.ts'

export function openingTests({ rig, session, open }: SuiteParts): void {
  test('check says what answered', async () => {
    const { server } = await session().check(limit())

    expect(server).not.toBe('')
  })

  test('a session that is closed lets go of everything and can be closed twice', async () => {
    const another = await open(rig().access)
    await another.check(limit())
    await another[Symbol.asyncDispose]()
    await another[Symbol.asyncDispose]()
  })

  test('a store that cannot be used fails with a fault that says why, and never with the secret', async () => {
    for (const { why, access, code } of rig().failing) {
      const failing = await open(access)
      const fault = await faultOf(failing.check(limit()))
      await failing[Symbol.asyncDispose]()

      expect(fault.code, why).toBe(code)
      for (const secret of Object.values(access.secrets ?? {})) {
        expect(JSON.stringify(fault), why).not.toContain(secret)
        expect(`${fault.message} ${fault.stack}`, why).not.toContain(secret)
      }
    }
  })

  test('the catalogue can be browsed from its root down', async () => {
    const root = await session().browse('', limit())

    expect(root.path).toBe('')
    const [first] = root.entries
    if (first && first.type !== 'file') expect((await session().browse(first.path, limit())).path).toBe(first.path)
  })
}
