'use strict';
// Served as /redoc/init.js: a file of its own, because the page's policy allows no inline script.

// The bundle puts a small logo of its makers, from their servers, under the menu. The policy would block it, with a
// complaint in the console; here it is not even asked for: an image from elsewhere fails at once, and Redoc drops it.
const image = HTMLImageElement.prototype;
const source = Object.getOwnPropertyDescriptor(image, 'src');
const ours = (url) => { try { const u = new URL(url, location.href); return u.origin === location.origin || u.protocol === 'data:'; } catch { return false; } };
const refuse = (element) => { setTimeout(() => element.dispatchEvent(new Event('error'))); };
image.setAttribute = function (name, value) {
  if (name === 'src' && !ours(value)) refuse(this); else Element.prototype.setAttribute.call(this, name, value);
};
Object.defineProperty(image, 'src', { ...source, set(value) { if (ours(value)) source.set.call(this, value); else refuse(this); } });

const sans = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const mono = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace';
Redoc.init('/openapi.json', {
  sanitize: true,
  sortRequiredPropsFirst: true,
  minCharacterLengthToInitSearch: 2,
  theme: {
    colors: { primary: { main: '#0d6658' } },
    sidebar: { backgroundColor: '#f6f8f8', width: '280px' },
    rightPanel: { backgroundColor: '#16211f' },
    typography: { // fonts of the system: none is fetched
      fontSize: '15px', fontFamily: sans,
      headings: { fontFamily: sans, fontWeight: '640' },
      code: { fontFamily: mono, fontSize: '13px' },
    },
  },
}, document.getElementById('redoc'));
