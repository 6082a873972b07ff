import { render } from 'preact';
import { App } from './app.js';

const place = document.getElementById('explorer');
if (place !== null) render(<App />, place);
