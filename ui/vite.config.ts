import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const staticDirectory = fileURLToPath(new URL('../src/runyard/web/static', import.meta.url));

// `npm run dev` talks to a running `runyard dev` or `runyard webserver`.
const server = process.env['RUNYARD_URL'] ?? 'http://127.0.0.1:3000';

export default defineConfig({
  build: {
    outDir: staticDirectory,
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      // Libraries mark modules for server rendering, which is of no concern to pages built once.
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  server: {
    host: '127.0.0.1',
    // The Host header stays the browser's: the server checks a write's Origin against it.
    proxy: { '/api': { target: server, changeOrigin: false } },
  },
});
