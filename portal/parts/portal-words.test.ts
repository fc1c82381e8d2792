import { FAULTS, type FaultCode } from '@postern/protocol/fault.ts'
import { expect, test } from 'vitest'
import { inPortalWords } from './portal-words.ts'

/** Who meets these is at the machine of a node or of the service, where nothing but the command line does it. */
const AT_A_MACHINE: readonly FaultCode[] = [
  ...(['CHANNEL_CERTIFICATE', 'CONSOLE_DENIED', 'DATABASE_UNREACHABLE', 'DATA_FOLDER_FOREIGN', 'DATA_FOLDER_IN_USE'] as const),
  ...(['GATEWAY_KEY_CHANGED', 'HAND_OVER_REFUSED', 'HOST_DENIED', 'NODE_ALREADY_JOINED', 'NODE_NOT_JOINED', 'NODE_NOT_RUNNING'] as const),
  ...(['RECOVERY_KEY_MISSING', 'RECOVERY_KEY_WRONG', 'CROSS_SITE_REFUSED'] as const),
  // of a program that speaks a database's own protocol
  ...(['CONNECT_UNSUPPORTED', 'WIRE_UNSUPPORTED', 'SESSION_UNKNOWN'] as const),
]

test('no remedy of a fault that the portal can show asks for the command line', () => {
  const left = Object.entries(FAULTS)
    .map(([code, { remedy }]) => [code, inPortalWords(remedy)] as const)
    .filter(([, remedy]) => /`postern| --[a-z]|POSTERN_TOKEN/.test(remedy))
    .map(([code]) => code)
  expect(left.filter((code) => !AT_A_MACHINE.includes(code as FaultCode))).toEqual([])
})

test.each([
  ['Start it again with `postern run rerun ID`.', 'Start it again with “Run again”.'],
  ['Go on with `postern run rerun ID`, which has as long again.', 'Go on with “Run again”, which has as long again.'],
  ['Name another target, or copy with --mode overwrite.', 'Name another target, or copy with “Overwrite”.'],
  ['Select and name the columns in --from "(select ...)".', 'Select and name the columns in “A query’s result” (select ...).'],
  [
    'Copy in fewer parts (--parts), or in such that share few folders (--split-by).',
    'Copy in fewer parts (“Parts”), or in such that share few folders (“Cut by the column”).',
  ],
  [
    'Try again later, or raise cpuPercent or queueTimeoutMs with `postern gateway set`.',
    'Try again later, or raise cpuPercent or queueTimeoutMs in the settings of the gateway.',
  ],
  ['Check host, port and firewall from the node, not from your desk.', 'Check host, port and firewall from the node, not from your desk.'],
])('%s', (remedy, said) => {
  expect(inPortalWords(remedy)).toBe(said)
})
