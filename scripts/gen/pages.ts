import { applySchema } from '@postern/cli/apply/apply-schema.ts'
import { faultsPage } from './faults.ts'
import { permissionsPage } from './permissions.ts'
import { settingsPage } from './settings.ts'

/** Every page that is made, by its path from the root. */
export const PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/reference/apply.schema.json': () => `${JSON.stringify(applySchema(), null, 2)}\n`,
  'docs/reference/faults.md': faultsPage,
  'docs/reference/permissions.md': permissionsPage,
  'docs/reference/settings.md': settingsPage,
}
