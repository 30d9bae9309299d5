@echo off
rem SPDX-License-Identifier: LGPL-2.1-or-later
rem
rem The balloon service of virtio-win: without it the driver moves the balloon, but the
rem host sees no memory statistics, and momd doesn't shrink the guest.
rem
rem   balloon install [FOLDER]   install blnsvr.exe, from FOLDER or from a virtio-win CD
rem   balloon check              see whether driver, service and counters do their work
rem   balloon remove             take the service away again
rem
rem Run it as an administrator. Exit codes: 0 done, 1 failed, 2 bad usage.
setlocal enableextensions enabledelayedexpansion
set here=%~dp0
set home=%SystemRoot%\mom
if /i "%~1"=="install" goto install
if /i "%~1"=="check" goto check
if /i "%~1"=="remove" goto remove
echo usage: balloon install [FOLDER] ^| check ^| remove
exit /b 2

:install
sc query balloon >nul 2>nul
if errorlevel 1060 (
	echo balloon: the driver isn't installed: in the Device Manager update the driver
	echo of "PCI standard RAM Controller" from the CD's folder Balloon, then come again
	exit /b 1
)
set folder=%~2
if "%folder%"=="" call :search
if "%folder%"=="" (
	echo balloon: no CD of virtio-win with a folder for this Windows is in a drive;
	echo name the folder that holds blnsvr.exe: balloon install E:\Balloon\2k3\x86
	exit /b 1
)
if not exist "%folder%\blnsvr.exe" (
	echo balloon: "%folder%" holds no blnsvr.exe
	exit /b 1
)
rem One that runs can't be written over.
net stop BalloonService >nul 2>nul
if not exist "%home%" md "%home%"
copy /y "%folder%\blnsvr.exe" "%home%\" >nul
if errorlevel 1 (
	echo balloon: "%folder%\blnsvr.exe" can't be copied to "%home%"
	exit /b 1
)
rem What comes from a CD may be read-only.
attrib -r "%home%\blnsvr.exe"
sc query BalloonService >nul 2>nul
if not errorlevel 1060 "%home%\blnsvr.exe" -u >nul
"%home%\blnsvr.exe" -i
sc config BalloonService start= auto >nul
if errorlevel 1 (
	echo balloon: blnsvr.exe didn't install its service; are you an administrator?
	exit /b 1
)
sc failure BalloonService reset= 86400 actions= restart/60000/restart/60000/restart/60000 >nul
net start BalloonService >nul 2>nul
goto check

:check
cscript //nologo "%here%balloon-check.vbs"
exit /b %errorlevel%

:remove
sc query BalloonService >nul 2>nul
if errorlevel 1060 (
	echo balloon: there is no balloon service
	exit /b 0
)
net stop BalloonService >nul 2>nul
if exist "%home%\blnsvr.exe" "%home%\blnsvr.exe" -u
sc query BalloonService >nul 2>nul
if not errorlevel 1060 sc delete BalloonService >nul
if exist "%home%\blnsvr.exe" del "%home%\blnsvr.exe"
echo balloon: the service is gone
exit /b 0

rem Look for this Windows' folder on all drives. Client and server of one version take
rem each other's.
:search
set bits=x86
if /i "%PROCESSOR_ARCHITECTURE%"=="AMD64" set bits=amd64
if defined PROCESSOR_ARCHITEW6432 set bits=amd64
set names=
ver | find "5.1." >nul && set names=xp 2k3
ver | find "5.2." >nul && set names=2k3
ver | find "6.0." >nul && set names=2k8
ver | find "6.1." >nul && set names=w7 2k8R2
ver | find "6.2." >nul && set names=w8 2k12
ver | find "6.3." >nul && set names=w8.1 2k12R2
ver | find " 10.0." >nul && set names=w10 w11 2k16 2k19 2k22 2k25
for %%d in (D E F G H I J K L M N O P Q R S T U V W X Y Z) do (
	for %%n in (%names%) do (
		if "!folder!"=="" if exist %%d:\Balloon\%%n\%bits%\blnsvr.exe (
			set folder=%%d:\Balloon\%%n\%bits%
		)
	)
)
goto :eof
