// As near as Linux comes to macOS: no /proc, no setsid; bash, and processes known by ps alone.
import { tellStories } from './stories.js'
tellStories('env STEPBACK_WITHOUT=proc,setsid bash')
