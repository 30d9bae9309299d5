@echo off
rem SPDX-License-Identifier: LGPL-2.1-or-later
rem
rem The network watchdog: a task that runs netwatch.vbs each minute, as SYSTEM.
rem
rem   netwatch install   copy it to %SystemRoot%\mom and start the task; a netwatch.ini
rem                      that is there already stays as it is
rem   netwatch check     say what it sees, and change nothing
rem   netwatch remove    end the task
rem
rem Run it as an administrator. Exit codes: 0 done, 1 failed, 2 bad usage.
setlocal enableextensions
set here=%~dp0
set home=%SystemRoot%\mom
if /i "%~1"=="install" goto install
if /i "%~1"=="check" goto check
if /i "%~1"=="remove" goto remove
echo usage: netwatch install ^| check ^| remove
exit /b 2

:install
if not exist "%home%" md "%home%"
if not exist "%home%\netwatch.ini" copy "%here%netwatch.ini" "%home%\" >nul
rem What comes from a CD may be read-only.
attrib -r "%home%\netwatch.ini"
if /i not "%here%"=="%home%\" (
	copy /y "%here%netwatch.vbs" "%home%\" >nul
	copy /y "%here%netwatch.cmd" "%home%\" >nul
	attrib -r "%home%\netwatch.vbs"
	attrib -r "%home%\netwatch.cmd"
)
if not exist "%home%\netwatch.vbs" (
	echo netwatch: it can't be copied to "%home%"; are you an administrator?
	exit /b 1
)
rem Old ones don't know /create /f.
schtasks /delete /tn mom-netwatch /f >nul 2>nul
schtasks /create /tn mom-netwatch /sc minute /mo 1 /ru SYSTEM ^
	/tr "%SystemRoot%\system32\wscript.exe //B %home%\netwatch.vbs"
if errorlevel 1 (
	echo netwatch: the task can't be made
	exit /b 1
)
echo netwatch: the settings are in "%home%\netwatch.ini"
cscript //nologo "%home%\netwatch.vbs" check
exit /b %errorlevel%

:check
if exist "%home%\netwatch.vbs" set here=%home%\
cscript //nologo "%here%netwatch.vbs" check
exit /b %errorlevel%

:remove
schtasks /delete /tn mom-netwatch /f
if errorlevel 1 exit /b 1
reg delete HKLM\SOFTWARE\mom\netwatch /f >nul 2>nul
if exist "%home%\netwatch.vbs" del "%home%\netwatch.vbs"
echo netwatch: the task is gone; "%home%\netwatch.ini" is left
exit /b 0
