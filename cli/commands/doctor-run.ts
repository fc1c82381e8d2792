import { DEFAULT_URL, findAccess } from '../api/connect.ts'
import { Exit } from '../exit.ts'
import { printJson, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'
import type { DoctorFlags } from './doctor.ts'
import {
  type Check,
  checkClock,
  checkDisk,
  checkNodeFolder,
  checkNodeVersion,
  checkPort,
  checkPostgres,
  checkService,
  checkServiceFolder,
  checkToken,
} from './doctor-checks.ts'

/** All checks; the exit code is 1 when one of them fails. */
export async function runDoctor(flags: DoctorFlags, shell: Shell): Promise<void> {
  const access = await findAccess(shell)
  const asked = shell.env['POSTERN_URL'] !== undefined || access.url !== DEFAULT_URL
  const node = await checkNodeFolder(flags.nodeData)
  const service = await checkService('service', access.url, asked)
  const checks: readonly Check[] = [
    checkNodeVersion(process.versions.node),
    await checkPostgres(),
    await checkServiceFolder(flags.serviceData),
    await checkDisk('disk of the service', flags.serviceData),
    await checkPort('port 7400', 7400, 'the service', '--port'),
    service.check,
    checkClock(service.date, shell.clock.now()),
    await checkToken(access, service.check.result === 'PASS', shell.signal),
    node.check,
    await checkDisk('disk of the node', flags.nodeData),
    await checkPort('port 8050', 8050, 'the channel of a node', '--channel-port'),
    await checkPort('port 8051', 8051, 'the local page of a node', '--console-port'),
    node.url === undefined
      ? { name: "node's service", result: 'SKIP', detail: 'no node here', remedy: '' }
      : (await checkService("node's service", node.url, true)).check,
  ]
  if (flags.json) printJson(shell, checks)
  else
    await printTable(
      shell,
      ['CHECK', 'RESULT', 'DETAIL', 'REMEDY'],
      checks.map((check) => [check.name, check.result, check.detail, check.remedy]),
    )
  if (checks.some((check) => check.result === 'FAIL')) throw new Exit(1)
}
