import react from '@vitejs/plugin-react'
import type { UserConfig } from 'vite'

interface Pages {
  /** Where their `index.html` lies; they are built to `dist` below it. */
  readonly root: string
  readonly publicDir: string
  /** While they are worked on: what is asked of who serves them. */
  readonly proxy: Readonly<Record<string, string>>
}

/** Of the portal and of the configuration manager. Nothing is loaded from elsewhere: fonts are the machine's own. */
export const pagesConfig = ({ root, publicDir, proxy }: Pages): UserConfig => ({
  root,
  publicDir,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy },
  logLevel: 'warn',
})
