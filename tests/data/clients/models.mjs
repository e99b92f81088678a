// Writes a TypeScript type for each schema of asyncapi.json to models.ts, and their names to standard output.
import { readFileSync, writeFileSync } from 'node:fs';
import { TypeScriptGenerator } from '@asyncapi/modelina';

const generator = new TypeScriptGenerator({ modelType: 'interface' });
const models = await generator.generate(JSON.parse(readFileSync('asyncapi.json', 'utf8')));
writeFileSync('models.ts', models.map(({ result }) => result).join('\n\n'));
console.log(models.map(({ modelName }) => modelName).join('\n'));
