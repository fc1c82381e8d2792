import { faultsPage } from './faults.ts'
import { settingsPage } from './settings.ts'

/** Every page that is made, by its path from the root. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/reference/faults.md': faultsPage,
  'docs/reference/settings.md': settingsPage,
}
