' SPDX-License-Identifier: LGPL-2.1-or-later
'
' See whether this guest can give the host its memory statistics: the balloon device, its
' driver, the service, and the counters that the service reads. A line for each; the exit
' code is 0 if all are well, else 1.
Option Explicit

Dim wmi, failed
failed = 0
Set wmi = GetObject("winmgmts:{impersonationLevel=impersonate}!\\.\root\cimv2")

CheckDevice
CheckDriver
CheckService
CheckCounters
If failed = 0 Then
	WScript.Echo "all is well here; on the host ""virsh dommemstat GUEST"" now has " & _
		"""unused"" and ""available"", and ""momctl guests"" says ""good"""
End If
WScript.Quit failed

Sub Report(well, what, cure)
	If well Then
		WScript.Echo "ok      " & what
	Else
		WScript.Echo "not ok  " & what & ": " & cure
		failed = 1
	End If
End Sub

' The device has another number where it is of virtio 1.0 alone, which old drivers don't
' know.
Sub CheckDevice
	Dim device, id, found
	For Each device In wmi.InstancesOf("Win32_PnPEntity")
		id = UCase(Text(device.DeviceID))
		If InStr(id, "PCI\VEN_1AF4&DEV_1002") = 1 Or _
		   InStr(id, "PCI\VEN_1AF4&DEV_1045") = 1 Then
			found = True
			Report Number(device.ConfigManagerErrorCode) = 0, "balloon device", _
				"Windows doesn't use it (error " & _
				Text(device.ConfigManagerErrorCode) & " in the Device Manager); " & _
				"update its driver from the virtio-win CD"
		End If
	Next
	If Not found Then
		Report False, "balloon device", "there is none; the guest's XML needs " & _
			"<memballoon model='virtio'>"
	End If
End Sub

Sub CheckDriver
	Dim driver, found
	For Each driver In wmi.ExecQuery( _
		"SELECT * FROM Win32_SystemDriver WHERE Name = 'balloon'")
		found = True
		Report Text(driver.State) = "Running", "balloon driver", "it is " & _
			Text(driver.State)
	Next
	If Not found Then Report False, "balloon driver", "it isn't installed"
End Sub

Sub CheckService
	Dim service, found
	For Each service In wmi.ExecQuery( _
		"SELECT * FROM Win32_Service WHERE Name = 'BalloonService'")
		found = True
		Report Text(service.State) = "Running", "balloon service", "it is " & _
			Text(service.State) & "; net start BalloonService"
		Report Text(service.StartMode) = "Auto", "its start with Windows", _
			"sc config BalloonService start= auto"
	Next
	If Not found Then Report False, "balloon service", "balloon install"
End Sub

' Where the counters are broken the service sends nothing, and says so nowhere.
Sub CheckCounters
	Dim memory, free
	free = 0
	On Error Resume Next
	For Each memory In wmi.InstancesOf("Win32_PerfRawData_PerfOS_Memory")
		free = Number(memory.AvailableBytes)
	Next
	On Error GoTo 0
	Report free > 0, "memory counters (" & Int(free / 1048576) & " MiB free)", _
		"rebuild them: lodctr /R, then winmgmt /resyncperf (2003: wmiadap /f), " & _
		"and start the balloon service anew"
End Sub

' WMI gives Null for what it doesn't know.
Function Text(value)
	If IsNull(value) Then Text = "unknown" Else Text = CStr(value)
End Function

Function Number(value)
	If IsNull(value) Or Not IsNumeric(value) Then Number = -1 Else Number = CDbl(value)
End Function
