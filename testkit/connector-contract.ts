/**
 * What every connector must do, switched on by what it claims in `can`. A connector's own test makes a rig and calls this:
 *
 *     connectorContract('postgres', postgresRig, postgres)
 */
import { Secret, silentLog } from '@postern/base/log.ts'
import { type Connector, type Session, settingsMarked } from '@postern/connectors/contract.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openingTests } from './contract/opening-tests.ts'
import { queryTests } from './contract/query-tests.ts'
import type { ConnectorRig, StoreAccess } from './contract/rig.ts'
import { sinkTests } from './contract/sink-tests.ts'
import { sourceTests } from './contract/source-tests.ts'
import type { SuiteParts } from './contract/suite.ts'

export function connectorContract(title: string, makeRig: () => Promise<ConnectorRig>, connector: Connector): void {
  describe(`${title} keeps the connector contract`, () => {
    let rig: ConnectorRig
    let session: Session
    const open = (access: StoreAccess) => openStore(rig, access)
    beforeAll(async () => {
      rig = await makeRig()
      session = await open(rig.access)
    })
    afterAll(async () => {
      await session?.[Symbol.asyncDispose]()
      await rig?.[Symbol.asyncDispose]()
    })
    const parts: SuiteParts = { rig: () => rig, session: () => session, open }
    declarationTests(connector)
    openingTests(parts)
    if (connector.can.query) queryTests(parts)
    if (connector.can.source) sourceTests(parts, connector)
    if (connector.can.source && connector.can.sink) sinkTests(parts, connector)
  })
}

function openStore(rig: ConnectorRig, { settings, secrets = {} }: StoreAccess): Promise<Session> {
  const sealed = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)]))
  return rig.connector.open({ settings, secrets: sealed, log: silentLog, scratch: rig.scratch })
}

function declarationTests(connector: Connector): void {
  test('is declared in full', () => {
    expect(connector.kind).toMatch(/^[a-z][a-z0-9-]*$/)
    expect(connector.title).not.toBe('')
    for (const [name, schema] of Object.entries(connector.config.shape)) {
      const meta = (schema as { meta(): Record<string, unknown> | undefined }).meta()
      expect(meta?.['title'], `setting ${name} has a title`).toEqual(expect.any(String))
    }
    const audience = settingsMarked(connector, 'audience')
    if (settingsMarked(connector, 'secret').length > 0) expect(audience.length).toBeGreaterThan(0)
  })
}
