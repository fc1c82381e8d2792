import type { Command } from 'commander'
import type { Shell } from '../shell.ts'
import { DEFAULT_NODE_DATA } from './node.ts'
import { DEFAULT_SERVICE_DATA } from './service.ts'

export interface DoctorFlags {
  readonly serviceData: string
  readonly nodeData: string
  readonly json?: boolean
}

export function doctorCommand(program: Command, shell: Shell): void {
  program
    .command('doctor')
    .description('look over this machine as a service or a node: PASS, FAIL or SKIP, each with a remedy')
    .option('--service-data <dir>', 'data folder of a service on this machine', DEFAULT_SERVICE_DATA)
    .option('--node-data <dir>', 'data folder of a node on this machine', DEFAULT_NODE_DATA)
    .option('--json', 'machine-readable')
    .action(async (flags: DoctorFlags) => {
      const { runDoctor } = await import('./doctor-run.ts')
      await runDoctor(flags, shell)
    })
}
